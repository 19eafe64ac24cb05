"""Marks, budget levels, restarts and mistakes: told once, kept, and ended when they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from infertop.commands.marks import TOKENS, USD, Marks, figures
from infertop.commands.watch import Watch
from infertop.engine.state import State
from infertop.history.summary import Minute, Spent, Summary, Totals
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import Budget, Settings
from infertop.readings.account import Account
from infertop.readings.model import Batch, Series
from infertop.views.shapes import Event

BEGIN = 1_790_000_000 // 3600 * 3600
A, B = ("vllm@a:1", "llama"), ("vllm@b:1", "qwen")
SCOPE_A = (("model", "llama"), ("source", "vllm@a:1"))
NOTHING = Settings()


def minute(n: int, usd: float = 1.0, tokens: int = 1000, requests: int = 10, covered: int = 60_000) -> Minute:
    """The n-th minute: `usd` an hour by A, as much by B, and `tokens` of A in so many requests."""
    nano = round(usd * 1e9 / 60)
    served = {"input": tokens // 2, "output": tokens - tokens // 2, "requests": requests, "gpu_busy": 60_000}
    totals = {A: Totals(served, nano), B: Totals({"requests": 0, "output": 0}, nano), ("nvml", None): Totals({}, nano)}
    return Minute(BEGIN + 60 * n, covered, totals, 3 * nano)


def summary(minutes: Sequence[Minute], **more: object) -> Summary:
    """The sums where all of these minutes are closed."""
    return replace(Summary(minutes=tuple(minutes), closed=minutes[-1].start + 60), **more)


class World:
    """A watch that sees minute after minute; `stored` is what the recorder was given."""

    def __init__(self, sigma: float = 2.0) -> None:
        self.watch = Watch(sigma)
        self.stored: dict[str, dict[str, object]] = {}
        self.history: list[Minute] = []

    def see(self, *minutes: Minute) -> list[dict[str, object]]:
        """Return the marks that changed."""
        self.history += minutes
        now = float(self.history[-1].start + 61)
        self.watch.tick(summary(self.history[-60:]), NOTHING, State(), now)
        news = self.watch.events.take_news()
        self.stored |= news
        return [each for each in news.values() if each["kind"] == "mark"]


def steady(count: int, **figures: float) -> list[Minute]:
    return [minute(n, **figures) for n in range(count)]


def test_the_figures_of_a_minute_are_those_of_each_model_and_of_all() -> None:
    found = figures(minute(0, usd=1.2, tokens=900, requests=3))
    assert found == {
        (SCOPE_A, USD): pytest.approx(1.2),
        ((("model", "qwen"), ("source", "vllm@b:1")), USD): pytest.approx(1.2),
        ((), USD): pytest.approx(3.6),
        (SCOPE_A, TOKENS): 300.0,
        ((), TOKENS): 300.0,
    }


def test_a_minute_that_was_half_recorded_counts_by_the_half() -> None:
    assert figures(minute(0, usd=1.0, covered=30_000))[(), USD] == pytest.approx(6.0)
    assert figures(minute(0, covered=0))[(), USD] is None


def test_five_dear_minutes_in_a_row_are_marked_and_the_mark_ends() -> None:
    world = World()
    assert world.see(*steady(60)) == []
    for n in range(60, 64):
        assert world.see(minute(n, usd=3.0)) == []
    marks = world.see(minute(64, usd=3.0))
    assert {(each["metric"], tuple(sorted(each["scope"].items()))) for each in marks} == {
        (USD, ()),
        (USD, SCOPE_A),
        (USD, (("model", "qwen"), ("source", "vllm@b:1"))),
    }
    (of_all,) = [each for each in marks if not each["scope"]]
    assert of_all["ts"] == BEGIN + 60 * 60
    assert (of_all["value"], of_all["expected"]) == (pytest.approx(9.0), pytest.approx(3.0))
    assert of_all["text"] == "in all: $/hour 9.00, usually 3.00 +- 0.00"
    assert of_all["until"] is None
    assert world.see(minute(65, usd=3.0)) == []
    ended = world.see(minute(66, usd=1.0))
    assert [each["until"] for each in ended] == [BEGIN + 66 * 60] * 3
    assert len(world.stored) == 3
    assert all(each["until"] for each in world.stored.values())
    assert len(world.watch.events.shown) == 3


def test_four_dear_minutes_are_no_mark() -> None:
    world = World()
    world.see(*steady(60))
    for n in range(60, 64):
        world.see(minute(n, usd=3.0))
    assert world.see(minute(64), minute(65)) == []


def test_longer_requests_are_marked_by_model_and_in_all() -> None:
    world = World()
    world.see(*steady(60))
    marks = world.see(*[minute(n, tokens=2000) for n in range(60, 65)])
    assert {(each["metric"], len(each["scope"])) for each in marks} == {(TOKENS, 0), (TOKENS, 2)}
    assert {each["text"] for each in marks} == {
        "in all: tokens/request 200, usually 100 +- 0",
        "llama: tokens/request 200, usually 100 +- 0",
    }


def test_a_higher_sigma_marks_less() -> None:
    wild = [minute(n, usd=1.0 + n % 2) for n in range(60)]
    for sigma, count in ((2.0, 3), (9.0, 0)):
        world = World(sigma)
        world.see(*wild)
        assert len(world.see(*[minute(n, usd=3.0) for n in range(60, 65)])) == count


def test_a_minute_is_judged_when_it_is_closed_and_once() -> None:
    world = World()
    world.see(*steady(60))
    dear = [minute(n, usd=3.0) for n in range(60, 65)]
    open_still = replace(summary(dear), closed=dear[-1].start)
    world.watch.tick(open_still, NOTHING, State(), 0.0)
    assert not world.watch.events.shown
    for _ in range(3):
        world.watch.tick(summary(dear), NOTHING, State(), 0.0)
    assert len(world.watch.events.shown) == 3


def test_a_minute_that_nobody_recorded_neither_makes_nor_ends_a_mark() -> None:
    world = World()
    world.see(*steady(60))
    world.see(*[minute(n, usd=3.0) for n in range(60, 65)])
    assert world.see(minute(65, covered=0)) == []
    assert len(world.watch.marks.baselines.marks()) == 3


def test_while_paused_minutes_wait() -> None:
    world = World()
    world.see(*steady(60))
    world.watch.marks.paused = True
    dear = [minute(n, usd=3.0) for n in range(60, 65)]
    assert world.see(*dear) == []
    world.watch.marks.paused = False
    assert len(world.see()) == 3


def test_marks_of_an_earlier_run_go_on_or_have_ended() -> None:
    before = World()
    before.see(*steady(60))
    before.see(*[minute(n, usd=3.0) for n in range(60, 65)])
    for further, lasting in (([], 3), ([minute(65)], 0)):
        after = Watch(2.0)
        for key, content in before.stored.items():
            after.events.remember(key, Event(**content))
        learnt = Marks(2.0)
        learnt.load([*before.history, *further])
        after.adopt(learnt, 1e9)
        assert sum(each.until is None for each in after.events.shown) == lasting
        assert after.events.take_news().keys() == (set() if lasting else before.stored.keys())
        assert len(after.events.shown) == 3


def test_a_viewer_learns_what_is_usual_and_makes_no_events() -> None:
    watch = Watch(2.0)
    watch.follow(summary([*steady(60), *[minute(n, usd=3.0) for n in range(60, 65)]]))
    assert watch.baselines.usual((), USD) is not None
    assert len(watch.baselines.marks()) == 3
    assert watch.events.shown == ()
    assert watch.events.take_news() == {}


# Budgets

ALL = Budget("all", Decimal(100), PeriodKind.DAY, "pricing.toml:1")
KATHMANDU = Settings(ZoneInfo("Asia/Kathmandu"), budgets=(ALL,))
NOW = BEGIN + 7.0


def spent(usd: float | None, settings: Settings = KATHMANDU, now: float = NOW, **more: object) -> Summary:
    start = period(settings.budgets[0].period, now, settings.zone)[0]
    nano = None if usd is None else round(usd * 1e9)
    return replace(Summary(budgets={each.name: Spent(start, nano, 1.0) for each in settings.budgets}), **more)


def levels(watch: Watch, sums: Summary, settings: Settings = KATHMANDU, now: float = NOW) -> list[str]:
    watch.tick(sums, settings, State(), now)
    return [str(each["text"]) for each in watch.events.take_news().values()]


def test_each_level_of_a_budget_is_told_once() -> None:
    watch = Watch(2.0)
    assert levels(watch, spent(49.99)) == []
    assert levels(watch, spent(50)) == ["all: 50.00 of 100 USD a day spent (50%)"]
    assert levels(watch, spent(79)) == []
    assert levels(watch, spent(80)) == ["all: 80.00 of 100 USD a day spent (80%)"]
    assert levels(watch, spent(101)) == ["all: 101.00 of 100 USD a day spent (over)"]
    assert levels(watch, spent(500)) == []
    assert sorted(each.level for each in watch.events.shown) == ["alarm", "warn", "warn"]
    assert {each.level for each in watch.levels.take()} == {"50%", "80%", "over"}
    assert watch.levels.take() == []


def test_levels_crossed_at_once_are_told_in_one_message() -> None:
    watch = Watch(2.0)
    assert levels(watch, spent(85)) == ["all: 85.00 of 100 USD a day spent (50%, 80%)"]
    assert {each.level for each in watch.levels.take()} == {"50%", "80%"}
    assert levels(watch, spent(60)) == []


def test_a_restart_does_not_tell_again() -> None:
    first = Watch(2.0)
    levels(first, spent(85))
    noted = frozenset(first.levels.take())
    assert levels(Watch(2.0), spent(85, told=noted)) == []
    assert levels(Watch(2.0), spent(120, told=noted)) == ["all: 120.00 of 100 USD a day spent (over)"]


def test_the_next_period_is_told_anew() -> None:
    watch = Watch(2.0)
    levels(watch, spent(85))
    tomorrow = NOW + 86400
    assert levels(watch, spent(55, now=tomorrow), now=tomorrow) == ["all: 55.00 of 100 USD a day spent (50%)"]


def test_sums_of_yesterday_or_of_nothing_priced_tell_nothing() -> None:
    watch = Watch(2.0)
    assert levels(watch, spent(85), now=NOW + 86400) == []
    assert levels(watch, spent(None)) == []
    assert levels(watch, Summary()) == []


def test_a_level_beyond_the_limit_and_a_limit_without_a_level() -> None:
    far = Settings(budgets=(replace(ALL, alert_at=(Decimal("0.25"), Decimal("1.5"))),))
    watch = Watch(2.0)
    assert levels(watch, spent(120, far), far) == ["all: 120.00 of 100 USD a day spent (25%)"]
    assert watch.events.shown[0].level == "alarm"
    assert levels(watch, spent(150, far), far) == ["all: 150.00 of 100 USD a day spent (150%)"]


# Restarts and mistakes


def test_an_engine_that_began_anew_is_told_once() -> None:
    watch, state = Watch(2.0), State()
    for n, (count, started) in enumerate([(5.0, 1.0), (9.0, 1.0), (2.0, 7.0), (3.0, 7.0), (1.0, 90.0)]):
        state.apply(Batch("vllm@a:1", BEGIN + n, (Series.of("output_tokens", model="m"),), (count,), started))
        for _ in range(2):
            watch.tick(Summary(), NOTHING, state, BEGIN + n)
    shown = watch.events.shown
    assert [(each.ts, each.kind, each.scope) for each in shown] == [
        (BEGIN + 4, "restart", {"source": "vllm@a:1"}),
        (BEGIN + 2, "restart", {"source": "vllm@a:1"}),
    ]
    assert len(watch.events.take_news()) == 2


def test_a_mistake_in_the_file_lasts_until_it_is_mended() -> None:
    watch = Watch(2.0)
    for now, problem in (
        (1.0, ""),
        (2.0, "pricing.toml:3: wrong"),
        (3.0, "pricing.toml:3: wrong"),
        (4.0, ""),
        (5.0, ""),
    ):
        watch.read(problem, now)
    (event,) = watch.events.shown
    assert (event.ts, event.until, event.text) == (2.0, 4.0, "pricing.toml:3: wrong")


def test_a_mistake_of_an_earlier_run_has_ended() -> None:
    watch = Watch(2.0)
    watch.events.remember("pricing 1", Event(1.0, "warn", "pricing", "pricing.toml:3: wrong"))
    watch.read("", 9.0)
    assert [each.until for each in watch.events.shown] == [9.0]


def test_the_newest_events_are_kept() -> None:
    watch = Watch(2.0)
    for n in range(300):
        watch.events.add(f"x {n}", Event(float(n), "info", "x", str(n), until=float(n)))
    assert [each.ts for each in watch.events.shown] == [float(n) for n in range(299, 99, -1)]


GPT = ("openai", "gpt-4o")


def late(minutes: Sequence[Minute], whole: int, told_until: int | None = None, usd: float = 6.0) -> Summary:
    """Minutes of which a provider has told the first `whole` ones, and of the later ones a tenth so far."""
    nano = round(usd * 1e9 / 60)
    said = []
    for n, each in enumerate(minutes):
        part = nano if n < whole else nano // 10
        row = Totals({"input": 600, "requests": 3}, part, 0, {"input": part})
        said.append(replace(each, totals={**each.totals, GPT: row}, usd_nano=(each.usd_nano or 0) + part))
    until = BEGIN + 60.0 * (whole if told_until is None else told_until)
    told = {"openai": Account(complete_until=until)}
    return summary(said, accounts=told, ts=minutes[-1].start + 60.0)


def test_minutes_that_a_provider_has_not_told_whole_are_no_fall_and_are_looked_at_later() -> None:
    marks, minutes = Marks(2.0), steady(200)
    found = []
    for n in range(1, 200):
        first = max(0, n - 60)
        said = late(minutes[first:n], max(0, n - 10 - first), max(0, n - 10))
        found += marks.take(said)
    assert found == []
    of_gpt = marks.baselines.usual((("model", "gpt-4o"), ("source", "openai")), USD)
    in_all = marks.baselines.usual((), USD)
    assert of_gpt is not None
    assert (of_gpt.mean, of_gpt.minutes) == (pytest.approx(6.0), 189)
    assert in_all is not None
    assert (in_all.mean, in_all.minutes) == (pytest.approx(9.0), 189)


def test_a_provider_that_falls_silent_is_no_fall_and_others_are_still_marked() -> None:
    marks = Marks(2.0)
    minutes = [*steady(100), *(minute(n, usd=3.0) for n in range(100, 110))]
    found = []
    for n in range(1, 111):
        first, told = max(0, n - 60), max(0, min(n - 10, 80))
        found += marks.take(late(minutes[first:n], max(0, told - first), told))
    assert {change.mark.scope for change in found} == {SCOPE_A, (("model", "qwen"), ("source", "vllm@b:1"))}


def test_who_never_tells_in_time_is_left_out_of_what_is_usual_in_all() -> None:
    marks, minutes = Marks(2.0), steady(120)
    for n in range(1, 121):
        marks.take(late(minutes[max(0, n - 60) : n], 60, n - 120))
    usual = marks.baselines.usual((), USD)
    assert usual is not None
    assert (usual.mean, usual.minutes) == (pytest.approx(3.0), 120)


def test_the_end_of_an_earlier_run_is_not_learned_of_providers_before_they_told_it() -> None:
    marks, minutes = Marks(2.0), steady(120)
    marks.load(late(minutes, 110).minutes, told_until=BEGIN + 60.0 * 80)
    usual = marks.baselines.usual((), USD)
    assert usual is not None
    assert (usual.mean, usual.minutes) == (pytest.approx(9.0), 80)
    assert marks.take(late(minutes[60:], 50, 110)) == []
    later = marks.baselines.usual((), USD)
    assert later is not None
    assert (later.mean, later.minutes) == (pytest.approx(9.0), 110)


def test_what_providers_tell_of_times_that_nobody_recorded_is_usual_too_and_the_total_is_not() -> None:
    marks = Marks(2.0)
    nano = 10**8
    told = Totals({"input": 600, "requests": 3}, nano, 0, {"input": nano})
    marks.load(Minute(BEGIN + 60 * n, 0, {GPT: told, A: Totals({"gpu_busy": 1}, nano)}, 2 * nano) for n in range(100))
    of_gpt = marks.baselines.usual((("model", "gpt-4o"), ("source", "openai")), USD)
    assert of_gpt is not None
    assert (of_gpt.mean, of_gpt.minutes) == (pytest.approx(6.0), 100)
    assert marks.baselines.usual(SCOPE_A, USD) is None
    assert marks.baselines.usual((), USD) is None


def test_the_mean_of_an_hour_is_learned_from_by_no_mark() -> None:
    marks = Marks(2.0)
    row = Totals({"input": 600, "requests": 3}, 10**8, 0, {"input": 10**8})
    minutes = [replace(minute(n), totals={**minute(n).totals, GPT: row}, spread=frozenset({GPT})) for n in range(100)]
    marks.load(minutes)
    assert marks.baselines.usual((("model", "gpt-4o"), ("source", "openai")), USD) is None
    assert marks.baselines.usual((), USD) is None
    of_a = marks.baselines.usual(SCOPE_A, USD)
    assert of_a is not None
    assert of_a.minutes == 100
