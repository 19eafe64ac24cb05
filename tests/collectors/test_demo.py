"""The demo says what its recording says: counters that only rise, sums that are the recording's, in the vocabulary."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.demo.captured import CapturedEngine, pages
from collectors.demo.machine import CARDS, ENGINES, SMALL
from collectors.demo.meters import DemoEngine, DemoGpus, busy
from collectors.demo.traffic import COUNTS, services
from collectors.vllm import Vllm
from infertop.engine.collector import SourceConfig
from infertop.engine.http import Http
from infertop.readings.registry import METRICS, Kind

ROUND_SECONDS = 58 * 60
SOME_DAY = 1_795_305_600.0
moments = st.floats(SOME_DAY, SOME_DAY + 86_400, allow_nan=False)


@pytest.mark.parametrize("name", sorted(services()))
def test_a_round_of_the_recording_adds_up_to_its_rows(name: str) -> None:
    text = files("collectors.demo").joinpath("traffic.csv").read_text("utf-8").splitlines()
    rows = [row for row in csv.DictReader(text) if row["service"] == name]
    service = services()[name]
    for what in COUNTS:
        expected = sum(int(row[what]) for row in rows)
        assert service.count(what, SOME_DAY + ROUND_SECONDS) - service.count(what, SOME_DAY) == expected > 0 or (
            what == "cache_read" and expected == 0
        )


@given(at=moments, later=st.floats(0, 7200))
def test_counters_are_whole_and_only_rise(at: float, later: float) -> None:
    for service in services().values():
        for what in COUNTS:
            before, after = service.count(what, at), service.count(what, at + later)
            assert before == int(before)
            assert after >= before
        old, new = service.ttft(at), service.ttft(at + later)
        assert all(b >= a for a, b in zip(old.counts, new.counts, strict=True))
        assert list(new.counts) == sorted(new.counts)


@given(at=moments)
async def test_meters_speak_the_vocabulary_and_keep_their_shape(at: float) -> None:
    made = [DemoEngine(each, SourceConfig("vllm", each.source)) for each in ENGINES]
    for meter in [*made, DemoGpus(SourceConfig("nvml", "nvml"))]:
        first, second = await meter.collect(at), await meter.collect(at + 1)
        assert second.series is first.series
        assert len(first.series) == len(first.values)
        for series, value in zip(first.series, first.values, strict=True):
            metric = METRICS[series.metric]
            assert (metric.kind is Kind.HISTOGRAM) != isinstance(value, float | int)
            if metric.unit == "ratio":
                assert 0 <= value <= 1


@given(at=moments)
def test_gpus_are_never_busier_than_full(at: float) -> None:
    assert all(0 <= busy(engine, at) < 1 for engine in ENGINES)


def test_every_engine_has_a_gpu_and_one_gpu_nobody() -> None:
    held = {source for card in CARDS for source, _ in card.holders}
    assert held == {engine.source for engine in ENGINES} | {SMALL}
    assert any(not card.holders for card in CARDS)
    assert all(card.memory_used_bytes <= card.memory_total_bytes for card in CARDS)


async def test_the_captured_engine_is_read_by_the_collector_of_live_ones() -> None:
    config = SourceConfig("vllm", SMALL, "http://127.0.0.1:8100")
    engine = CapturedEngine(config, Vllm(config, Http(config.url)))
    batches = [await engine.collect(float(second)) for second in range(len(pages()))]
    await engine.close()
    output = [sum(v for s, v in zip(b.series, b.values, strict=True) if s.metric == "output_tokens") for b in batches]
    assert output == sorted(output)
    assert output[-1] > output[0]
    assert {series.label("model") for series in batches[0].series} == {"tiny-llama"}
