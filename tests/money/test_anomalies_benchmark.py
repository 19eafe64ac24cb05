"""The benchmark of incidents: it puts in what it says, and what it finds it finds by what infertop watches."""

from __future__ import annotations

import math

import pytest

from benchmarks.anomalies import drawn
from benchmarks.anomalies_run import Bench
from benchmarks.anomalies_traffic import SLOTS, WEEK, Fault, Used, figures, read

CLIENT = "m-large/c1"


def made_up(client: str, mean: float) -> list[Used]:
    return [
        Used(wave, 700.0 * wave, 300.0 * wave, 200.0 * wave)
        for wave in (mean * (1.5 + math.sin(2 * math.pi * at / 144) + at % 3 / 10) for at in range(SLOTS))
    ]


def bench() -> Bench:
    return Bench({name: made_up(name, mean) for name, mean in ((CLIENT, 40.0), ("m-large/other", 100.0))})


@pytest.mark.parametrize(
    ("kind", "more"), [("volume", 3.0), ("price", 3.0), ("prompt", 1.95), ("output", 2.05), ("cache", 1.12)]
)
def test_a_fault_costs_what_its_factor_makes_of_it(kind: str, more: float) -> None:
    used = Used(10.0, 7000.0, 3000.0, 1730.0)
    fault = Fault(kind, 3.0, WEEK, 6, (CLIENT,))
    times = (
        figures([(CLIENT, fault.of(WEEK, CLIENT, used))])["usd_per_hour"] / figures([(CLIENT, used)])["usd_per_hour"]
    )
    assert times == pytest.approx(more, rel=0.05)
    assert fault.of(WEEK - 1, CLIENT, used) == fault.of(WEEK + 6, CLIENT, used) == used
    assert fault.of(WEEK, "m-large/other", used) == used


def test_what_is_put_into_steady_traffic_is_found_and_named_and_nothing_else_is() -> None:
    judged = bench()
    kinds = ("volume", "price", "prompt", "output", "cache")
    faults = [Fault(kind, 10.0, WEEK + 50 + at, 12, (CLIENT,)) for at, kind in enumerate(kinds)]
    for found in judged.run(faults):
        assert found.anywhere is not None
        assert found.anywhere <= 2
        assert found.named == (True, True)
    assert sum(judged.opened.values()) == 0


def test_its_trace_is_two_weeks_of_ten_clients_and_its_faults_begin_in_the_second() -> None:
    traffic = read(seed=1)
    assert {len(each) for each in traffic.values()} == {SLOTS}
    assert len(traffic) == 10
    faults = drawn(1, 1, traffic)
    assert len(faults) == 12 * 5 * 5
    assert min(each.begin for each in faults) >= WEEK
    assert max(each.begin + each.slots for each in faults) <= SLOTS
