"""The sums that are carried forward are those that the database has."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.history.open import open_store
from infertop.history.reader import Reader
from infertop.history.report import report, spent
from infertop.history.scopes import Scopes
from infertop.history.summary import Minute, Summary, Totals
from infertop.history.totals import joined
from infertop.history.writer import Writer
from infertop.money.periods import PeriodKind
from infertop.money.settings import Assignment, Budget, Settings
from infertop.readings.model import Batch, Statement
from tests.history.world import LLAMA, START, VLLM, Dearer, book, deriver, polls, record, totals, writer

MIDNIGHT = START // 86_400 * 86_400 + 86_400  # the next one in UTC
BUDGETS = (
    Budget("all", Decimal(5), PeriodKind.DAY, "x:1"),
    Budget("chat", Decimal(5), PeriodKind.HOUR, "x:2", conditions=(("team", "chat"),)),
    Budget("nothing", Decimal(5), PeriodKind.MONTH, "x:3", conditions=(("model", "gpt*"),)),
)
SETTINGS = Settings(budgets=BUDGETS, assignments=(Assignment((("model", "llama*"),), (("team", "chat"),), "x:4"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "infertop.db"


def run(to: Writer, first: int, last: int, step: int = 1) -> Summary:
    summary = Summary()
    for second in range(first, last, step):
        summary = to.tick(polls(second), START + second + 0.9)
    return summary


def same(summary: Summary, path: Path, scopes: Scopes) -> None:
    """The summary says what the database says."""
    reader = Reader(path)
    periods = scopes.at(summary.ts)
    assert summary.day_start == periods.day
    assert dict(summary.today) == reader.ask(totals, periods.day)
    assert summary.today_usd_nano == sum(
        row.usd_nano or 0 for row in reader.ask(report, ["model"], periods.day, summary.ts + 1).rows
    )
    for budget in scopes.settings.budgets:
        start = periods.budgets[budget.name]
        found = summary.budgets[budget.name]
        assert found.start == start
        assert found.usd_nano == reader.ask(spent, budget.conditions, start, summary.ts + 1, scopes)
    since = int(summary.ts - 3600) // 60 * 60
    of_minutes = {each.start: each for each in reader.minutes(since, summary.ts)}
    assert {each.start: each for each in summary.minutes if each.start >= since} == of_minutes
    reader.close()


def test_every_tick_has_the_sums_of_the_database(path: Path) -> None:
    scopes = Scopes(SETTINGS)
    to = Writer(open_store(path, START), deriver(), START, scopes=scopes)
    for stop in range(0, 260, 20):
        same(run(to, stop, stop + 20), path, scopes)
    last = to.finish(START + 260)
    assert last.today[VLLM, LLAMA].quantities["output"] == 259 * 40
    assert last.budgets["chat"].usd_nano == last.today_usd_nano
    assert last.budgets["nothing"].usd_nano == 0
    assert last.month_usd_nano == last.today_usd_nano
    again = Writer(open_store(path, START + 260), deriver(), START + 260, scopes=scopes)
    same(run(again, 260, 400), path, scopes)
    again.finish(START + 400)


def test_the_day_turns_at_midnight_of_the_time_zone(path: Path) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    scopes = Scopes(Settings(zone=zone, budgets=BUDGETS))
    midnight = (MIDNIGHT - START) - 5 * 3600 - 1800
    midnight += 86_400 if midnight < 300 else 0
    to = Writer(open_store(path, START), deriver(), START + midnight - 300, scopes=scopes)
    before = run(to, midnight - 300, midnight)
    assert before.today[VLLM, LLAMA].quantities["output"] == 299 * 40
    same(before, path, scopes)
    after = run(to, midnight, midnight + 100)
    same(after, path, scopes)
    # what was used between the last poll of the day and the first of the next belongs to the minute of the latter
    assert after.today[VLLM, LLAMA].quantities["output"] == pytest.approx(100 * 40, abs=40)
    assert after.budgets["all"].start == START + midnight
    to.finish(START + midnight + 101)


def test_coverage_is_the_share_of_the_day_that_was_recorded(path: Path) -> None:
    first = (MIDNIGHT - START) % 86_400
    to = Writer(open_store(path, START), deriver(), START + first)
    summary = run(to, first, first + 301)
    assert summary.coverage_today == pytest.approx(300 / 301, abs=0.01)
    summary = run(to, first + 901, first + 1201)
    assert summary.coverage_today == pytest.approx(600 / 1201, abs=0.01)
    to.finish(START + first + 1201)
    again = writer(path, START + first + 1201)
    summary = run(again, first + 1201, first + 1203)
    assert summary.coverage_today == pytest.approx(600 / 1201, abs=0.01)
    again.finish(START + first + 1203)


def test_the_minutes_of_the_last_hour_are_there_also_after_a_restart(path: Path) -> None:
    to = writer(path, START)
    summary = run(to, 0, 4200, 10)
    starts = [each.start for each in summary.minutes]
    assert starts == list(range(START + 600 - 60, START + 4200, 60))
    assert {each.covered_ms for each in summary.minutes[1:-2]} == {60_000}
    assert summary.minutes[5].totals[VLLM, LLAMA].quantities["output"] == 2400
    assert summary.minutes[5].usd_nano == pytest.approx(2.49e9 / 60, rel=0.001)
    to.finish(START + 4200)
    again = writer(path, START + 4200)
    later = again.tick(polls(4200), START + 4200.9)
    assert [each for each in later.minutes if each.start < START + 4140] == [
        each for each in summary.minutes if START + 600 <= each.start < START + 4140
    ]
    again.finish(START + 4201)


def test_a_source_that_only_attributes_is_in_no_total(path: Path) -> None:
    scopes = Scopes(SETTINGS, counts=lambda source, _provider, _model: source != VLLM)
    to = Writer(open_store(path, START), deriver(), START, scopes=scopes)
    summary = run(to, 0, 100)
    assert summary.today[VLLM, LLAMA].usd_nano
    assert summary.today_usd_nano is None
    assert summary.budgets["all"].usd_nano is None
    assert {each.usd_nano for each in summary.minutes} == {None}
    to.finish(START + 100)


def test_other_settings_take_effect_with_the_next_tick(path: Path) -> None:
    to = writer(path, START)
    assert run(to, 0, 100).budgets == {}
    scopes = Scopes(SETTINGS)
    to.rescope(scopes)
    same(run(to, 100, 101), path, scopes)
    to.finish(START + 101)


def test_pricing_again_reaches_the_sums_and_later_lines_have_the_new_price(path: Path) -> None:
    to = writer(path, START)
    before = run(to, 0, 200)
    assert before.today_usd_nano == pytest.approx(199.7 * 2.49e9 / 3600, rel=0.01)
    dear = book("4.98")
    to.apply(lambda each: setattr(each, "prices", dear))
    to.reprice(Dearer(2))
    run(to, 200, 260)
    after = run(to, 260, 330)
    same(after, path, Scopes())
    closed = [each.usd_nano for each in after.minutes if each.start in (START + 60, START + 120, START + 240)]
    assert closed == pytest.approx([4.98e9 / 60] * 3, rel=0.001)
    to.finish(START + 330)


def test_an_edit_of_the_prices_is_not_undone_by_a_restart(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 90)
    to.apply(lambda each: setattr(each, "prices", book("249")))
    record(to, 90, 100)
    usd = to.tick((), START + 100).today_usd_nano
    to._keeper.store.close()
    dear = deriver()
    dear.prices = book("249")
    again = Writer(open_store(path, START + 100), dear, START + 100)
    assert again.tick((), START + 100.5).today_usd_nano == usd
    again.finish(START + 101)


@pytest.mark.parametrize("told_at", [45, 59, 61, 119], ids=str)
def test_what_is_told_of_a_minute_before_it_closes_stays_in_it(path: Path, told_at: int) -> None:
    to = writer(path, START)
    run(to, 0, told_at)
    start = START // 60 * 60 + 60 * (told_at // 60)
    use = {"input": 1_000_000, "output": 10_000}
    said = Statement(
        "openai", f"k|{start}", start, start + 60, "openai", "gpt-4o", {"key": "a"}, use, 7, None, "measured"
    )
    now = START + told_at + 0.9
    to.tick((Batch("openai", now, (), (), statements=(said,), covered=()),), now)
    for second in range(told_at + 1, 185):
        summary = to.tick(polls(second), START + second + 0.9)
    minute = next(each for each in summary.minutes if each.start == start and each.covered_ms)
    assert minute.totals["openai", "gpt-4o"].quantities["input"] == 1_000_000
    assert minute.totals[VLLM, LLAMA].usd_nano
    same(summary, path, Scopes())


def test_two_parts_of_a_minute_are_one_also_where_only_one_of_them_counts() -> None:
    key, other = ("gateway", "gpt-4o"), ("vllm", "llama")
    early = Minute(60, 0, {key: Totals({"input": 1}, 5)}, None, frozenset({key}))
    late = Minute(60, 60_000, {key: Totals({"input": 2}, 7), other: Totals({"input": 3}, 1)}, 8)
    whole = joined(early, late)
    assert (whole.covered_ms, whole.usd_nano, whole.apart) == (60_000, 8, frozenset())
    assert whole.totals[key].quantities == {"input": 3}
    assert (whole.counted(key), whole.counted(other)) == (7, 1)
    assert joined(late, early) == whole
