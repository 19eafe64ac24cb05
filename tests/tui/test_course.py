"""The course of $/hour behind the windows that are compared: which time it shows, and where the windows are in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.views.event_shapes import Course
from tests.tui import sample, sample_incidents
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.panels.course import COUNT, bins_of, course_rows
from tui.scene import Scene
from tui.terminal import shades
from tui.widgets.cells import Row
from tui.windows import AFTER, BOTH, Windows

AT, HOUR = sample.AT, 3600.0
WINDOWS = ((AT - 2 * HOUR, AT - HOUR), (AT - HOUR, AT))
WALL = (160, 50)


def drawn(course: Course | None, height: int = 14, width: int = 190, color: bool = True, side: str = BOTH) -> list[Row]:
    made = Desk(PlayFeed(), Look(shades(color=color)))
    scene: Scene = replace(made.scene, course=course)
    return course_rows(scene, width, height, WINDOWS, side)


def flat(usd: float | None = 10.0) -> Course:
    bins = bins_of(*WINDOWS, AT)
    assert bins is not None
    return Course(*bins, (usd,) * COUNT)


def text(made: Desk, size: tuple[int, int] = WALL) -> str:
    return "\n".join(row.text for row in made.paint(*size))


@given(st.floats(0, 40), st.floats(300, 400 * 86_400), st.floats(0, 300 * 86_400))
def test_a_course_holds_both_windows_in_whole_minutes(back: float, length: float, apart: float) -> None:
    after = (AT - back * HOUR - length, AT - back * HOUR)
    before = (after[0] - length - apart, after[1] - length - apart)
    bins = bins_of(before, after, AT)
    assert bins is not None
    since, width = bins
    assert width % 60 == 0
    if after[1] - before[0] < 300 * 86_400:
        assert since <= before[0]
        assert since + width * COUNT >= after[1] // 60 * 60
        assert since + width * COUNT <= AT + 60


def test_a_course_stays_as_it_is_while_a_window_moves_a_little() -> None:
    moved = Windows(side=AFTER, moved=(WINDOWS[0], (AT - 3 * HOUR, AT - 2 * HOUR)))
    once, twice = moved, moved.stepped(1, AT, "UTC")
    assert bins_of(*once.at(AT, "UTC"), AT) == bins_of(*twice.at(AT, "UTC"), AT)


def test_windows_have_brackets_below_their_part_of_the_course_and_colours_of_their_own() -> None:
    rows = drawn(flat())
    assert [len(rows), {len(row.text) for row in rows}] == [14, {190}]
    marks = rows[-2].text
    (left, right), room = ((marks.index("├"), marks.rindex("┤")), 190 - 8)
    assert 7 + room * (1 / 3) == pytest.approx(left, abs=2)  # three hours, of which the last two are compared
    assert right == pytest.approx(189, abs=1)
    assert ("before" in marks, "after" in marks) == (True, True)
    bottom = rows[-3]
    assert len({bottom.style[left - 4], bottom.style[left + 4], bottom.style[right - 4]}) == 3
    assert rows[0].text.startswith(" $/HOUR  3 h")


def test_without_colour_and_in_two_rows_the_brackets_are_there_all_the_same() -> None:
    line, marks = drawn(flat(), 2, 100, color=False)
    assert line.text.startswith("   3 h ▃")
    assert "├─" in marks.text
    assert "before" in marks.text


def test_only_the_bracket_that_keys_move_stands_out() -> None:
    marks = drawn(flat(), 2, side=AFTER)[-1]
    before, after = marks.text.index("before"), marks.text.index("after")
    assert marks.style[before] != marks.style[after]


def test_windows_that_are_narrow_in_their_course_are_named_beside_it() -> None:
    since, width = AT - 14 * 86_400, 112 * 60.0
    course = Course(since, width, (10.0,) * COUNT)
    made = Desk(PlayFeed(), Look())
    windows = ((AT - 7 * 86_400 - HOUR, AT - 7 * 86_400), (AT - HOUR, AT))
    rows = course_rows(replace(made.scene, course=course), 100, 10, windows, BOTH)
    assert "│ before" in rows[-2].text
    assert rows[-2].text.rstrip().endswith("after │")
    assert "Thu 19 Nov" in rows[-1].text
    assert len(set(rows[-3].style)) >= 4  # their bins have colours though they are shorter than a bin


def test_nothing_known_is_no_course_and_one_that_is_being_read_keeps_its_place() -> None:
    assert drawn(flat(None)) == []
    assert [row.text.strip() for row in drawn(None, 3)] == ["", "", ""]
    assert drawn(flat(), 14, 20) == []


def test_the_page_of_two_windows_asks_for_the_course_of_its_scope_and_shows_it() -> None:
    feed = PlayFeed(sample_incidents.VIEW)
    made = Desk(feed, Look())
    made.paint(*WALL)
    made.compare()
    assert "$/HOUR  3 h" in text(made)
    assert feed.courses[-1] == ({}, AT - 3 * HOUR, 60.0, COUNT)
    made.whose()
    assert feed.courses[-1][0] == {"model": "llama-3-70b", "source": "vllm@127.0.0.1:8000"}
    made.preset()
    made.preset()
    assert feed.courses[-1][2] == 112 * 60
    assert "$/HOUR  14 d" in text(made)


def test_the_page_of_an_incident_shows_what_its_windows_are_of() -> None:
    feed = PlayFeed(sample_incidents.VIEW)
    made = Desk(feed, Look())
    made.view_page(6)
    made.paint(*WALL)
    feed.has_course = False
    made.open()
    assert feed.courses[-1][0] == sample_incidents.WHY.scope
    assert made.waiting  # the screen looks again soon
    feed.has_course = True
    made.tick()
    assert not made.waiting
    assert "$/HOUR  " in text(made)


def test_tab_says_what_the_keys_move() -> None:
    made = Desk(PlayFeed(sample_incidents.VIEW), Look())
    made.compare()
    said = []
    for _ in range(3):
        made.side(1)
        said.append(made.choices.message)
    assert said == ["keys move the window before", "keys move the window after", "keys move both windows"]


def test_brackets_have_a_form_in_ascii() -> None:
    marks = Look(ascii=True).finish(drawn(flat(), 2)[-1])
    assert "+---" in marks.text
    assert "?" not in marks.text


@pytest.mark.parametrize("ts", [float("nan"), float("inf"), -1e300, 1e300, -1.0, AT + 1e6], ids=str)
def test_times_that_no_history_has_are_no_course(ts: float) -> None:
    assert bins_of((ts, AT), (AT, AT), AT) is None
    why = replace(sample_incidents.WHY, before=(ts, ts))
    event = next(each for each in sample_incidents.VIEW.events if each.why is not None)
    feed = PlayFeed(replace(sample_incidents.VIEW, events=(replace(event, why=why),)))
    made = Desk(feed, Look())
    made.view_page(6)
    made.paint(*WALL)
    made.open()
    made.tick()
    assert feed.courses == []
    assert not made.waiting
    assert "$/HOUR  " not in text(made)
