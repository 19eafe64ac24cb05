"""The demo says what its recording says: counters that only rise, sums that are the recording's, in the vocabulary."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.demo.account import CLIENTS, SURGE_KEY, SURGE_TIMES, DemoAccount, used_in
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


async def test_the_account_tells_every_minute_once_and_the_same_again() -> None:
    began = SOME_DAY + 12_345
    config = SourceConfig("openai", "openai")
    at_once, by_turns = (DemoAccount(config, began, began - 3600) for _ in range(2))
    whole = (await at_once.collect(began)).statements
    parts = [
        said for ts in range(int(began) - 3600, int(began) + 1, 45) for said in (await by_turns.collect(ts)).statements
    ]
    assert list(whole) == parts
    assert len({said.key for said in whole}) == len(whole) == 60 * len(CLIENTS)
    assert (await at_once.collect(began)).statements == ()


async def test_the_prompts_of_one_key_get_longer_and_nothing_else_does() -> None:
    for client in CLIENTS:
        before, since = ([used_in(client, minute) for minute in span] for span in (range(-60, -24), range(-24, 12)))
        long, longer = (
            sum(each.input for each in part) / sum(each.requests for each in part) for part in (before, since)
        )
        answers, later = (
            sum(each.output for each in part) / sum(each.requests for each in part) for part in (before, since)
        )
        assert longer / long == pytest.approx(SURGE_TIMES if client.key == SURGE_KEY else 1.0, rel=0.3)
        assert later / answers == pytest.approx(1.0, rel=0.3)
