"""Every engine page that was recorded or written, and which quantities it yields: one table.

`x` is reported, `.` is unknown, which is never 0. What the numbers are is tested with each engine.
"""

from __future__ import annotations

import pytest

from infertop.views.reported import VOCABULARY
from tests.collectors.reading import source, totals
from tests.recordings import PAYLOADS, answers

_OTHERS = ("dcgm", "litellm", "amd", "ssh", "prometheus")  # no engines
_NAMELESS = ("tgi", "tei", "llamacpp", "trtllm")
QUANTITIES = (
    "requests, failures, aborts, prompt tokens, cached tokens, output tokens, running, queue, KV cache, preemptions, "
    "drafts of speculation, time to first token, inter-token latency, request time, queue time, GPU time by phase"
)
# requests, failures, aborts | prompt, cached, output | running, queue, KV | preemptions, drafts
# | TTFT, inter-token, request, queue time | GPU time by phase
PAGES = {
    "vllm/0.8.5.txt":                    "x.. xxx xxx x. xxxx .",
    "vllm/0.10.2.txt":                   "x.. xxx xxx x. xxxx .",
    "vllm/0.20.0.txt":                   "xx. xxx xxx x. xxxx .",
    "vllm/0.32.0_first.txt":             "xx. xxx xxx x. xxxx .",
    "vllm/0.32.0_before_restart.txt":    "xx. xxx xxx x. xxxx .",
    "vllm/0.32.0_last.txt":              "xx. xxx xxx x. xxxx .",
    "vllm/0.32.0_lora_server.txt":       "xx. xxx xxx x. xxxx .",
    "vllm/0.33.0.txt":                   "xx. xxx xxx x. xxxx .",
    "sglang/0.4.6.txt":                  "x.. xxx xxx .. xxx. .",
    "sglang/0.5.4.txt":                  "x.x xxx xxx .x xxxx .",
    "sglang/0.5.9.txt":                  "x.x xxx xxx xx xxxx x",
    "sglang/0.5.16.txt":                 "x.x xxx xxx xx xxxx x",
    "sglang/0.5.23.txt":                 "x.x xxx xxx xx xxxx x",
    "sglang/0.5.23_two_groups.txt":      "x.x xxx xxx xx xxxx x",
    "sglang/0.5.23_synthetic.txt":       "x.x xxx xxx .. xxxx x",
    "tgi/synthetic.txt":                 "xx. x.x xx. .. .xxx x",
    "tei/synthetic.txt":                 "xxx x.. .x. .. ..xx .",
    "trtllm/1.1_synthetic.txt":          "x.. .x. ..x .. xxxx .",
    "trtllm/main_synthetic.txt":         "xx. xxx xxx .. xxxx .",
    "triton/2.51.0_plain_one_model.txt": "xxx ... .x. .. ..xx .",
    "triton/2.51.0_first.txt":           "xxx ... .x. .. ..xx .",
    "triton/2.51.0_last.txt":            "xxx ... .x. .. ..xx .",
    "triton/2.51.0_ensemble.txt":        "xxx ... .x. .. ..xx .",
    "triton/2.51.0_bls.txt":             "xxx ... .x. .. ..xx .",
    "triton/synthetic.txt":              "xxx ... xxx .. ..xx .",
    "llamacpp/synthetic.txt":            "... x.x xx. .. .x.. .",
    "llamacpp/xllamacpp_first.txt":      "... xxx xx. .x .x.. .",
    "llamacpp/xllamacpp_last.txt":       "... xxx xx. .x .x.. .",
    "lmdeploy/0.18.0.txt":               "xxx xxx xxx .x xxxx .",
    "lmdeploy/synthetic.txt":            "xx. xxx xxx .. xxxx .",
    "nim/1.x_synthetic.txt":             "xx. x.x xxx .. xxx. .",
    "dynamo/worker_synthetic.txt":       "xx. ... x.x .. ..x. .",
    "dynamo/worker_vllm_synthetic.txt":  "xx. xxx xxx x. xxxx .",
    "dynamo/both_synthetic.txt":         "xx. xxx xxx x. xxxx .",
    "dynamo-frontend/synthetic.txt":     "xxx xxx x.. .. xxx. .",
    "ray/2.48_synthetic.txt":            "xx. xxx xxx x. xxxx .",
    "kserve/vllm_synthetic.txt":         "xx. xxx xxx x. xxxx .",
    "kserve/classic_synthetic.txt":      "x.. ... ... .. ..x. .",
    "ollama/synthetic.page.json":        "... ... ... .. .... .",
}  # fmt: skip


def test_the_table_has_a_column_for_each_quantity_and_a_row_for_each_page() -> None:
    assert ", ".join(name for name, _ in VOCABULARY) == QUANTITIES
    pages = (path.relative_to(PAYLOADS).as_posix() for path in answers() if path.parent.name not in _OTHERS)
    assert {page for page in pages if page != "vllm/http.txt"} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_yields_what_its_engine_says(page: str) -> None:
    kind = page.partition("/")[0]
    options = {"model": "m"} if kind in _NAMELESS else {}
    said = set(totals(source(kind, **options).parse((PAYLOADS / page).read_bytes(), 1.0)))
    assert "".join("x" if said.intersection(metrics) else "." for _, metrics in VOCABULARY) == PAGES[page].replace(
        " ", ""
    )
