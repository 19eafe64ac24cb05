"""The lines of infertop's own reader on another machine."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors._ssh_reader import Reader, shape_line, values_line
from infertop.readings.model import Series
from tests.collectors.ssh_lines import SHAPE, index


def test_the_readers_lines_are_read_back_with_the_machines_name_on_them() -> None:
    reader = Reader(index, "gpubox")
    assert reader.take('{"reader": 1}') is None
    assert reader.take(shape_line(SHAPE)) is None
    assert reader.take(values_line((1.0, 0.83))) == {
        Series.of("gpu_info", gpu="GPU-0a", name="NVIDIA H100", index="gpubox:0", host="gpubox"): 1.0,
        Series.of("gpu_utilization", gpu="GPU-0a"): 0.83,
    }
    assert reader.take('{"problem": "a GPU is lost", "absent": false}') is None
    assert (reader.problem, reader.absent) == ("a GPU is lost", False)
    assert reader.take(values_line((1.0, 0.5)))
    assert reader.problem == ""


@pytest.mark.parametrize(
    "series",
    [
        ["output_tokens", {"gpu": "GPU-0a"}],  # a machine's reader tells of GPUs, and of nobody's tokens
        ["gpu_power_watts", {"gpu": "GPU-0a", "holder": "vllm"}],
        ["gpu_power_watts", {"gpu": "x" * 600}],
        ["gpu_power_watts", {"gpu": 7}],
        ["gpu_power_watts", {}],
        ["gpu_power_watts"],
        "gpu_power_watts",
    ],
)
def test_what_a_reader_should_not_say_is_left_out(series: object) -> None:
    reader = Reader(index, "gpubox")
    reader.take(json.dumps({"shape": [series, ["gpu_utilization", {"gpu": "GPU-0a"}]]}))
    assert reader.take('{"values": [5, 0.5]}') == {Series.of("gpu_utilization", gpu="GPU-0a"): 0.5}
    assert reader.take('{"values": [5, NaN]}') == {}
    assert reader.take('{"values": [5, "0.5"]}') == {}
    with suppress(ValueError):
        pytest.fail(str(reader.take('{"values": [5]}')))


@given(
    st.text(max_size=100)
    | st.recursive(st.none() | st.text(max_size=5), lambda some: st.lists(some, max_size=3)).map(str)
)
def test_no_line_of_a_reader_does_harm(line: str) -> None:
    reader = Reader(index, "gpubox")
    with suppress(ValueError):
        reader.take(line)
