"""What engines say, quantity by quantity, in one vocabulary: where from, and what each of them cannot say."""

import pytest

from tests.collectors.reading import payload, source, totals

# Pages whose values are made up. None: the engine does not report it, which is not 0.
PAGES = {
    "sglang": ("sglang/0.5.23_synthetic.txt", {}),
    "tgi": ("tgi/synthetic.txt", {"model": "m"}),
    "lmdeploy": ("lmdeploy/synthetic.txt", {}),
}
COLUMNS = tuple(PAGES)
ROWS = {
    "requests": (1_234, 400, 480),
    "prompt_tokens": (860_000, 392_210, 300_000),
    "output_tokens": (410_000, 83_694, 120_000),
    "cached_tokens": (250_000, None, 90_000),
    "running": (14, 6, 3),
    "waiting": (2, 1, 0),
    "kv_cache_usage": (0.47, None, 0.12),
    "ttft_seconds": (1_234, None, 500),
    "inter_token_seconds": (5_000, 400, 500),
    "request_seconds": (1_234, 400, 500),
    "queue_seconds": (1_234, 400, 500),
    "requests_failed": (None, 8, 2),
    "requests_aborted": (9, None, None),
    "prefill_gpu_seconds_total": (210.5, 43.43814186443837, None),
    "decode_gpu_seconds_total": (1_450.2, 76.69714751399849, None),
    "spec_drafted_tokens": (None, None, None),
}


@pytest.mark.parametrize("quantity", ROWS)
@pytest.mark.parametrize("engine", COLUMNS)
def test_a_quantity_is_what_the_engine_says_and_unknown_where_it_says_nothing(engine, quantity):
    page, options = PAGES[engine]
    said = totals(source(engine, **options).parse(payload(page), 1.0))
    assert said.get(quantity) == ROWS[quantity][COLUMNS.index(engine)]


SPECULATION = {
    "vllm": b'vllm:spec_decode_num_%s_tokens_total{engine="0",model_name="m"} %d\n',
    "llamacpp": b"llamacpp:spec_decode_num_%s_tokens_total %d\n",
    "lmdeploy": b'lmdeploy:spec_decode_num_%s_tokens_total{engine="0",model_name="m"} %d\n',
}


@pytest.mark.parametrize(("engine", "line"), SPECULATION.items(), ids=SPECULATION)
def test_what_speculation_drafted_and_what_was_accepted_of_it_is_read(engine, line):
    page = line % (b"draft", 300) + line % (b"accepted", 180)
    page += page.replace(b"_tokens_total", b"_tokens_per_pos_total").replace(b"300", b"7")
    options = {"model": "m"} if engine == "llamacpp" else {}
    batch = source(engine, **options).parse(page, 1.0)
    assert totals(batch) == {"spec_drafted_tokens": 300, "spec_accepted_tokens": 180}
    assert {series.label("model") for series in batch.series} == {"m"}
