"""The overview: the headline, and the rows of every panel."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.money.baseline import Mark, Usual
from infertop.money.budgets import status
from infertop.money.overlap import Choices
from infertop.money.periods import PeriodKind
from infertop.money.settings import Budget
from infertop.views.facts import Past
from infertop.views.overview import TOTAL, overview
from infertop.views.shapes import Event, Searched
from tests.money.tape import START, VLLM, Gpu, book, engine, host, nvml
from tests.views.world import World

UTC = ZoneInfo("UTC")
MONTH = Budget("all", Decimal(500), PeriodKind.MONTH, "pricing.toml:1")
CHAT = Budget("chat", Decimal(5), PeriodKind.DAY, "pricing.toml:5", conditions=(("model", "llama*"), ("team", "chat")))


def lived() -> World:
    world = World(book("2.49", host="0.4"), [VLLM])
    for second in range(31):
        ts = START + second
        said = engine(ts, output_tokens=10.0 * second, prompt_tokens=30.0 * second, requests=second)
        world.poll(said, nvml(ts, Gpu("GPU-0", 0.5, {VLLM: (1e9, 0.5)}), Gpu("GPU-1", 0.0)), host(ts))
    return world


def test_the_headline_says_what_is_spent_and_on_what() -> None:
    head = overview(lived().facts()).headline
    assert (head.usd_per_hour, head.gpu_usd_per_hour, head.host_usd_per_hour) == (pytest.approx(5.38), 4.98, 0.4)
    assert head.api_usd_per_hour is None
    assert (head.idle_usd_per_hour, head.unheld_usd_per_hour) == (pytest.approx(3.735), 2.49)
    assert head.tokens_per_second == pytest.approx(40.0)
    assert (head.default_prices, head.unpriced) == (0, 0)
    assert (head.usual_usd_per_hour, head.usual_note) == (None, "known after an hour of history")


def test_tokens_that_another_source_counts_too_are_in_the_headline_once() -> None:
    world = lived()
    for second in range(31):
        world.poll(engine(START + second, source="gateway", output_tokens=10.0 * second, prompt_tokens=30.0 * second))
    assert overview(world.facts()).headline.tokens_per_second == pytest.approx(80.0)
    view = overview(world.facts(choices=Choices(never=frozenset({"gateway"}))))
    assert view.headline.tokens_per_second == pytest.approx(40.0)
    assert {row.source for row in view.models} == {VLLM, "gateway"}


def test_nothing_that_is_unknown_is_0() -> None:
    view = overview(World().facts())
    head = view.headline
    assert (head.usd_per_hour, head.gpu_usd_per_hour, head.host_usd_per_hour, head.idle_usd_per_hour) == (None,) * 4
    assert (head.unheld_usd_per_hour, head.tokens_per_second, head.today_usd, head.month_usd) == (None,) * 4
    assert (view.models, view.gpus, view.budgets, view.sources) == ((), (), (), ())
    assert view.window_seconds == 0.0


def test_what_is_usual_and_whether_this_is() -> None:
    usual = Usual(3.0, 0.1, 90)
    total = Mark((), "usd_per_hour", 5.0, usual, START)
    of_model = Mark((("model", "x"),), "usd_per_hour", 5.0, usual, START)
    calm = overview(lived().facts(past=Past(usual=usual, marks=(of_model,)))).headline
    assert (calm.usual_usd_per_hour, calm.usual_note, calm.marked) == (3.0, "mean of 90 minutes", False)
    assert overview(lived().facts(past=Past(usual=usual, marks=(of_model, total)))).headline.marked


def test_the_month_is_that_of_the_budget_on_everything() -> None:
    month = status(MONTH, 100 * 10**9, 2.0, float(START), UTC)
    other = status(CHAT, None, None, float(START), UTC)
    past = Past(month_usd=100.0, today_usd=3.0, budgets=(other, month), coverage=0.5)
    view = overview(lived().facts(past=past))
    assert view.headline.month_limit_usd == 500.0
    assert view.headline.month_forecast_usd == month.forecast_usd
    assert (view.headline.today_usd, view.headline.month_usd) == (3.0, 100.0)
    chat, everything = view.budgets
    assert (chat.name, chat.scope, chat.spent_usd, chat.fraction, chat.level) == (
        "chat",
        "model=llama* team=chat",
        None,
        None,
        None,
    )
    assert (everything.spent_usd, everything.fraction, everything.limit_usd) == (100.0, 0.2, 500.0)
    assert everything.resets_at == month.end
    assert everything.coverage == 0.5


def test_the_window_is_the_one_that_was_measured() -> None:
    assert overview(lived().facts()).window_seconds == 30.0
    assert overview(lived().facts(window=10.0)).window_seconds == 10.0
    alone = World()
    for second in range(8):
        alone.poll(nvml(START + second, Gpu(joules=9.0 * second)))
    assert overview(alone.facts()).window_seconds == 7.0


def test_sources_say_how_they_are_and_how_old_their_last_reading_is() -> None:
    world = lived()
    down = Health("far", "vllm", SourceState.DOWN, None, START, 0.1, 4, 3, 7, "refused", "http://far:1", 5.0)
    world.state.apply_health(down)
    world.now += 3
    rows = {row.name: row for row in overview(world.facts()).sources}
    assert rows.keys() == {VLLM, "nvml", "host", "far"}
    assert (rows[VLLM].state, rows[VLLM].age_seconds) == ("up", 3.0)
    far = rows["far"]
    assert (far.state, far.age_seconds, far.detail, far.address) == ("down", None, "refused", "http://far:1")
    assert (far.interval_seconds, far.poll_seconds, far.failures, far.rejected) == (5.0, 0.1, 3, 7)


def test_history_is_a_layer_for_each_model_without_the_total() -> None:
    past = Past(
        minutes=(60.0, 120.0),
        usd_per_hour={TOTAL: (3.0, None), "a": (1.0, None), "unheld": (2.0, None)},
        tokens_per_second={"output": (9.0, None)},
    )
    view = overview(lived().facts(past=past))
    assert TOTAL not in dict(view.cost_history.layers)
    assert view.cost_history.times == view.tokens_history.times == (60.0, 120.0)
    assert view.cost_history.layers == (("a", (1.0, None)), ("unheld", (2.0, None)))
    assert view.tokens_history.layers == (("output", (9.0, None)),)


def test_the_trend_is_the_last_hour_and_empty_where_nobody_recorded() -> None:
    world = lived()
    newest = world.now // 60 * 60 - 60
    two = {TOTAL: (3.0, 4.0)}
    trend = overview(world.facts(past=Past(minutes=(newest - 60, newest), usd_per_hour=two))).headline.trend
    assert trend == (None,) * 58 + (3.0, 4.0)
    late = Past(minutes=(newest - 120, newest - 60), usd_per_hour=two)  # the last minute is about to be closed
    assert overview(world.facts(past=late)).headline.trend == trend
    old = Past(minutes=(newest - 600, newest - 540), usd_per_hour=two)
    assert overview(world.facts(past=old)).headline.trend == (None,) * 50 + (3.0, 4.0) + (None,) * 8
    assert overview(world.facts()).headline.trend == ()


def test_what_the_program_knows_of_itself_is_handed_on() -> None:
    event = Event(1.0, "warn", "mark", "x")
    more = {"notices": ("n",), "searched": (Searched("a", "b", "c"),), "recorder": "r", "mode": "viewer", "host": "h"}
    view = overview(lived().facts(past=Past(events=(event,)), **more, interval_seconds=2.0, timezone="Asia/Kathmandu"))
    assert (view.notices, view.searched, view.recorder, view.mode, view.host) == tuple(more.values())
    assert (view.interval_seconds, view.timezone, view.events) == (2.0, "Asia/Kathmandu", (event,))
