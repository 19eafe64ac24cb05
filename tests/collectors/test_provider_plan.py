"""Every second of a provider's usage is asked for, aligned, and never told by a minute and an hour at once."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collectors._provider_plan import DAY, HOUR, MINUTE, Plan, Span

NOW = 1_795_343_805.0  # 2026-11-22 11:16:45 UTC
MONTH = 1_793_491_200.0  # 2026-11-01


def plan(every: float = 60.0) -> Plan:
    return Plan({"completions": every}, lambda _now: MONTH)


def ask(of: Plan, now: float) -> list[Span]:
    asked = []
    for span in of.due(now):
        asked.append(span)
        of.done(span, now)
    return asked


def test_the_first_poll_asks_for_two_hours_by_the_minute_and_for_the_month_by_the_hour() -> None:
    edge = int(NOW // HOUR - 2) * HOUR
    minutes, again, *back = ask(plan(), NOW)
    assert minutes == Span("completions", edge, int(NOW // MINUTE) * MINUTE, MINUTE)
    assert again == Span("completions", edge - 3 * DAY, edge, HOUR)
    assert [each.end for each in back] == [again.start, *(each.start for each in back[:-1])]
    assert back[-1].start == MONTH
    assert max(each.buckets for each in back) <= 168


def test_at_the_beginning_of_a_month_seven_days_are_read() -> None:
    *_, last = ask(Plan({"x": 60}, lambda now: now - 600), NOW)
    assert last.start == (NOW - 7 * DAY) // DAY * DAY


def test_days_of_the_provider_are_read_whole_wherever_the_month_begins() -> None:
    *_, last = ask(Plan({"x": 60}, lambda _now: MONTH - 14 * HOUR), NOW)
    assert last.start == MONTH - DAY


def test_what_was_read_before_is_gone_on_from_and_nonsense_is_not() -> None:
    before = plan()
    ask(before, NOW)
    after = plan()
    after.resume("completions", before.bookmark("completions"), NOW)
    edge = int(NOW // HOUR - 2) * HOUR
    assert [each.start for each in ask(after, NOW)] == [edge, edge - 3 * DAY]
    later = plan()
    later.resume("completions", before.bookmark("completions"), NOW + DAY)
    assert min(each.start for each in ask(later, NOW + DAY)) == edge - 3 * DAY
    for bookmark in (
        "",
        "x",
        "1 2",
        f"{edge} {edge - HOUR}",
        f"{edge - HOUR} {edge + DAY}",
        f"{edge - 90 * DAY} {edge - 80 * DAY}",
    ):
        lost = plan()
        lost.resume("completions", bookmark, NOW)
        assert lost.left_days(NOW) == 22


def test_later_polls_ask_for_minutes_and_for_three_days_whenever_an_hour_is_over() -> None:
    made = plan()
    ask(made, NOW)
    widths = [[each.width for each in ask(made, NOW + 60 * i)] for i in range(1, 60)]
    assert widths.count([MINUTE]) == 58
    assert widths.count([MINUTE, HOUR]) == 1


def test_what_failed_is_asked_again() -> None:
    made = plan()
    first = list(made.due(NOW))
    assert list(made.due(NOW + 1)) == first


def test_how_much_is_left_is_told() -> None:
    made = plan()
    assert made.left_days(NOW) == 22
    spans = made.due(NOW)
    for span in (next(spans), next(spans)):
        made.done(span, NOW)
    assert made.left_days(NOW) == 19
    ask(made, NOW)
    assert made.left_days(NOW) == 0


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=30), st.randoms())
def test_what_stands_tells_every_second_once_whatever_fails(waits: list[int], chance: object) -> None:
    made, now = plan(), NOW
    told: set[tuple[int, int]] = set()
    for wait in waits:
        for span in made.due(now):
            if chance.random() < 0.3:  # type: ignore[attr-defined]
                break
            made.done(span, now)
            told = {each for each in told if not (each[0] >= span.start and each[1] <= span.end)}
            told |= {(at, at + span.width) for at in range(span.start, span.end, span.width)}
        now += wait
    ordered = sorted(told)
    assert all(one[1] <= other[0] for one, other in pairwise(ordered))
