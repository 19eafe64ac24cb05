"""One line of one page is lost: what was counted in the end is what is counted without the loss."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import llamacpp, triton, vllm
from tests.collectors.reading import grown, recorded, source
from tests.recordings import pages

TINY = {"prompt_tokens": "tiny_prompt_tokens_total", "output_tokens": "tiny_generation_tokens_total"}
RECORDINGS = {
    "vllm": ("vllm/0.32.0.jsonl.gz", vllm.TABLE, {}),
    "triton": ("triton/2.51.0.jsonl.gz", triton.TABLE, TINY),
    "llamacpp": ("llamacpp/xllamacpp.jsonl.gz", llamacpp.TABLE, {}),
}
BEFORE, AFTER = 2, 2


@cache
def good_pages(kind):
    return [page for page in pages(RECORDINGS[kind][0]) if page[1] == 200]


def counted(kind, run):
    options = RECORDINGS[kind][2]
    return grown(advance for _, advance in recorded(source(kind, **options), run))


def without(page, line):
    """Return a page without its line number `line`, and with one that cannot be read in its place."""
    ts, status, text = page
    lines = text.split("\n")
    gone, broken = lines[:line] + lines[line + 1 :], [*lines[:line], f"\x00{lines[line]}", *lines[line + 1 :]]
    return [(ts, status, "\n".join(each)) for each in (gone, broken)]


def window(kind, at):
    run = good_pages(kind)
    return run[at - BEFORE : at + AFTER + 1]


@pytest.mark.parametrize("kind", RECORDINGS)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_line_that_is_lost_once_changes_no_total(kind, data):
    at = data.draw(st.integers(BEFORE, len(good_pages(kind)) - AFTER - 1), label="page")
    run = window(kind, at)
    line = data.draw(st.integers(0, run[BEFORE][2].count("\n") - 1), label="line")
    for lost in without(run[BEFORE], line):
        assert counted(kind, [*run[:BEFORE], lost, *run[BEFORE + 1 :]]) == counted(kind, run)


@pytest.mark.parametrize("kind", RECORDINGS)
def test_no_line_of_a_counter_that_is_lost_is_taken_from_another_counter(kind):
    run = window(kind, BEFORE)
    for number, line in enumerate(run[BEFORE][2].split("\n")):
        if line.partition("{")[0].partition(" ")[0].endswith("_total"):
            assert counted(kind, [*run[:BEFORE], without(run[BEFORE], number)[0], *run[BEFORE + 1 :]]) == counted(
                kind, run
            )


def restart(kind):
    starts = [text.partition("\nprocess_start_time_seconds ")[2].split("\n")[0] for _, _, text in good_pages(kind)]
    return next(i for i, start in enumerate(starts) if start != starts[0])


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_no_line_that_is_lost_around_a_restart_changes_a_total(offset):
    wanted = tuple(sorted(vllm.TABLE.wanted()))
    run = window("vllm", restart("vllm") + offset)
    expected = counted("vllm", run)
    for number, line in enumerate(run[BEFORE][2].split("\n")):
        if line.startswith(wanted) and "_bucket{" not in line and "_created" not in line:
            for lost in without(run[BEFORE], number):
                assert counted("vllm", [*run[:BEFORE], lost, *run[BEFORE + 1 :]]) == expected, line


SEVERAL = {
    # Reasons of one counter of requests; statuses and handlers of one of failures.
    "vllm": (
        'vllm:request_success_total{{finished_reason="stop",model_name="m"}} {}\n'
        'vllm:request_success_total{{finished_reason="length",model_name="m"}} {}\n'
        'http_requests_total{{handler="/v1/completions",method="POST",status="404"}} {}\n'
        'http_requests_total{{handler="/v1/embeddings",method="POST",status="400"}} {}\n'
        'vllm:num_requests_running{{model_name="m"}} {}\n'
    ),
    # Versions of a model, and its instances on GPUs.
    "triton": (
        'nv_inference_request_success{{model="m",version="1"}} {}\n'
        'nv_inference_request_success{{model="m",version="2",gpu_uuid="GPU-a"}} {}\n'
        'nv_inference_request_success{{model="m",version="2",gpu_uuid="GPU-b"}} {}\n'
        'nv_inference_compute_infer_duration_us{{model="m",version="1",gpu_uuid="GPU-a"}} {}\n'
        'nv_inference_compute_infer_duration_us{{model="m",version="2",gpu_uuid="GPU-a"}} {}\n'
    ),
}


@pytest.mark.parametrize("kind", SEVERAL)
@pytest.mark.parametrize("line", range(5))
def test_a_counter_that_stands_on_several_lines_is_whole_again_when_one_of_them_comes_back(kind, line):
    run = [(float(ts), 200, SEVERAL[kind].format(*(1e6 + ts * n for n in range(1, 6)))) for ts in range(5)]
    for lost in without(run[2], line):
        assert counted(kind, [*run[:2], lost, *run[3:]]) == counted(kind, run)


def test_a_series_that_stands_twice_on_every_page_is_counted_from_the_first_page_on():
    page = 'vllm:prompt_tokens_total{{model_name="m"}} {0}\nvllm:prompt_tokens_total{{model_name="m"}} 9e9\n'
    run = [(float(ts), 200, page.format(500 + 100 * ts)) for ts in range(3)]
    assert counted("vllm", run) == {("prompt_tokens", "m"): 200.0}
