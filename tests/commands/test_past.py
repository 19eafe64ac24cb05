"""From the recorder's sums to what is shown of the past."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from infertop.commands.minutes import OTHERS, closed_minutes
from infertop.commands.past import burn, past
from infertop.history.summary import Minute, Spent, Summary, Totals
from infertop.money.baseline import Baselines
from infertop.money.periods import PeriodKind
from infertop.money.settings import Assignment, Budget, Settings
from infertop.views.api_rates import Teller, api_rates
from infertop.views.costs import Costs, ModelCost
from infertop.views.facts import Past
from infertop.views.overview import TOTAL
from tests.money.tape import LLAMA, START, VLLM
from tests.views.test_overview import lived

NOTHING = Costs((), {}, None, None, None, None, 0, 0)
A, B, UNHELD = (VLLM, LLAMA), ("vllm@b:1", LLAMA), ("nvml", None)


def minute(n: int, covered: int = 60_000, **usd: int) -> Minute:
    """The n-th minute, with so many nano USD by A, by B and for nobody."""
    keys = {"a": A, "b": B, "unheld": UNHELD, "host": ("host", None)}
    totals = {keys[name]: Totals({"output": 60, "gpu_busy": 5}, nano) for name, nano in usd.items()}
    return Minute(START + 60 * n, covered, totals, sum(usd.values()) if usd else None)


def shown(*minutes: Minute, closed: int = 100, settings: Settings | None = None, **more: object) -> Past:
    summary = replace(Summary(minutes=minutes, closed=START + 60 * closed), **more)
    return past(summary, settings or Settings(), NOTHING, Baselines(2.0), (), float(START))


def test_a_minutes_cost_is_told_by_the_hour_of_what_was_recorded() -> None:
    found = shown(minute(0, a=10**9, unheld=10**9), minute(1, covered=30_000, a=10**9))
    assert found.minutes == (START, START + 60)
    assert found.usd_per_hour == {TOTAL: (120.0, 120.0), LLAMA: (60.0, 120.0), "unheld": (60.0, None)}
    assert found.tokens_per_second == {"output": (2.0, 2.0)}


def test_a_minute_that_is_missing_or_was_not_recorded_is_unknown_and_keeps_its_place() -> None:
    found = shown(minute(0, a=10**9), minute(3, covered=0, a=10**9), minute(5, a=10**9))
    assert found.minutes == tuple(START + 60.0 * n for n in range(6))
    assert found.usd_per_hour[TOTAL] == (60.0, None, None, None, None, 60.0)
    assert found.tokens_per_second["output"] == (1.0, None, None, None, None, 1.0)


def test_minutes_that_are_not_closed_are_left_out() -> None:
    summary = Summary(minutes=(minute(0), minute(1), minute(2)), closed=START + 60)
    assert [each.start for each in closed_minutes(summary)] == [START]
    assert closed_minutes(Summary()) == ()


def test_one_model_on_two_engines_is_one_layer_and_two_places() -> None:
    found = shown(minute(0, a=10**9, b=2 * 10**9, host=10**9))
    assert found.usd_per_hour == {TOTAL: (240.0,), LLAMA: (180.0,), "host": (60.0,)}
    (row,) = found.usd_by_place
    assert (row[A], row[B]) == (60.0, 120.0)


def test_beyond_the_eight_dearest_the_others_are_one_layer() -> None:
    totals = {("s", f"m{n}"): Totals({}, 10**9 * (n + 1)) for n in range(11)}
    first, second = Minute(START, 60_000, totals, 1), Minute(START + 60, 60_000, {("s", "m9"): Totals({}, 1)}, 1)
    layers = shown(first, second).usd_per_hour
    assert set(layers) == {TOTAL, OTHERS, *(f"m{n}" for n in range(3, 11))}
    assert layers[OTHERS] == (360.0, None)


def test_totals_of_today_are_by_model_and_unknown_where_nothing_has_a_price() -> None:
    today = {A: Totals({"requests": 3, "input": 9}, None), UNHELD: Totals({"gpu_idle": 9}, 10**9)}
    found = shown(today=today, today_usd_nano=10**9, month_usd_nano=None, coverage_today=0.5)
    assert found.totals == {A: {"requests": 3.0, "input": 9.0, "usd": None}}
    assert (found.today_usd, found.month_usd, found.coverage) == (1.0, None, 0.5)


def budget(**conditions: str) -> Budget:
    return Budget("b", Decimal(10), PeriodKind.DAY, "x:1", conditions=tuple(conditions.items()))


def test_a_budget_has_what_the_ledger_says_was_spent() -> None:
    settings = Settings(budgets=(budget(), replace(budget(), name="new")))
    found = shown(settings=settings, budgets={"b": Spent(0.0, 5 * 10**9, 1.0)})
    assert [each.spent_nano for each in found.budgets] == [5 * 10**9, None]
    assert [each.level for each in found.budgets] == ["50%", None]


@pytest.mark.parametrize(
    ("conditions", "usd"),
    [
        ({}, 5.38),
        ({"model": "llama*"}, 2.49),
        ({"source": "vllm*"}, 2.49),
        ({"source": "nvml"}, 2.49),
        ({"source": "host"}, 0.4),
        ({"provider": "local"}, 5.38),
        ({"team": "chat"}, 2.49),
        ({"model": "gpt*"}, None),
    ],
)
def test_what_a_budget_burns_now_is_the_cost_of_what_it_is_about(conditions: dict[str, str], usd: float | None) -> None:
    settings = Settings(assignments=(Assignment((("model", "llama*"),), (("team", "chat"),), "x:1"),))
    assert burn(budget(**conditions), settings, lived().costs()) == (None if usd is None else pytest.approx(usd))


def test_a_host_that_a_model_carries_burns_there() -> None:
    carried = replace(NOTHING, host=0.4, models={("cpu", "tiny"): ModelCost(all_in=0.4)})
    assert burn(budget(model="tiny"), Settings(), carried) == 0.4
    assert burn(budget(source="host"), Settings(), carried) is None


def told_by_openai(*whole: bool, until: int) -> Past:
    """Minutes in which openai used 60 tokens a minute for $1, as far as it has told them; the machine costs $1."""
    gpt = ("openai", "gpt-4o")
    minutes = []
    for n, is_whole in enumerate(whole):
        nano, tokens = (10**9, 60) if is_whole else (10**8, 6)
        row = Totals({"input": tokens}, nano, 0, {"input": nano})
        minutes.append(Minute(START + 60 * n, 30_000, {gpt: row, UNHELD: Totals({"gpu_idle": 9}, 10**9)}, nano + 10**9))
    summary = Summary(minutes=tuple(minutes), closed=START + 60 * len(minutes), providers={gpt: ("openai",)})
    now = float(START + 60 * len(minutes))
    api = api_rates(summary, [Teller("openai", START + 60.0 * until)], now)
    return past(summary, Settings(), NOTHING, Baselines(2.0), (), now, api)


def test_minutes_that_a_provider_has_not_told_go_on_as_before_and_what_it_told_is_of_the_whole_minute() -> None:
    found = told_by_openai(*[True] * 15, False, False, until=15)
    assert found.usd_per_hour["gpt-4o"] == pytest.approx((60.0,) * 17)
    assert found.usd_per_hour[TOTAL] == pytest.approx(
        (180.0,) * 17
    )  # half a minute of the machine, a whole one of openai
    assert found.tokens_per_second["input"] == pytest.approx((1.0,) * 17)


def test_once_it_has_told_them_they_are_what_it_told() -> None:
    found = told_by_openai(*[True] * 15, False, False, until=17)
    assert found.usd_per_hour["gpt-4o"][-2:] == pytest.approx((6.0, 6.0))
    assert found.tokens_per_second["input"][-1] == pytest.approx(0.1)


def test_what_only_attributes_is_not_drawn_on_beside_what_counts() -> None:
    log, gpt = ("codex", "gpt-4o"), ("openai", "gpt-4o")
    row = Totals({"input": 60}, 10**9, 0, {"input": 10**9})
    both = [Minute(START + 60 * n, 60_000, {gpt: row, log: row}, 10**9, frozenset({log})) for n in range(15)]
    summary = Summary(minutes=(*both, Minute(START + 900, 60_000, {}, None)), closed=START + 960)
    tellers = [Teller("openai", START + 900.0), Teller("codex", START + 900.0)]
    found = past(
        summary, Settings(), NOTHING, Baselines(2.0), (), START + 960.0, api_rates(summary, tellers, START + 960.0)
    )
    assert found.usd_per_hour == {TOTAL: pytest.approx((60.0,) * 16), "gpt-4o": pytest.approx((60.0,) * 16)}
