"""The page of runs: what is usual of a session, and the sessions, the dearest first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui import sample, sample_runs
from tests.tui.play import PlayFeed
from tui.choices import SPANS
from tui.desk import Desk
from tui.look import Look
from tui.terminal import shades
from tui.widgets.cells import FILL


def desk(made=sample_runs.PAGE, size=(80, 24), view=sample.RICH) -> Desk:
    feed = PlayFeed(view)
    feed.added_up = made
    made_desk = Desk(feed, Look(shades(color=False)))
    made_desk.view_page(8)
    made_desk.paint(*size)
    return made_desk


def text(made: Desk, size=(80, 24)) -> str:
    return "\n".join(row.text for row in made.paint(*size))


def test_it_shows_what_is_usual_and_the_dearest_run_first() -> None:
    shown = text(desk())
    assert "20 RUNS IN 1 h" in shown
    assert "$ of a run                 1.61       6.62        41.20" in shown
    assert next(line for line in shown.splitlines() if "$ of a run" in line).split()[-1] == "18"
    first, second = (line for line in shown.splitlines() if line.rstrip().endswith(("8.04", "6.03")))
    assert "gpt-5-codex" in first
    assert "claude-opus-4-6" in second


def test_r_opens_it_and_leaves_it_again() -> None:
    made = Desk(PlayFeed(), Look(shades(color=False)))
    made.runs()
    assert "RUNS IN" in text(made)
    made.runs()
    assert "RUNS IN" not in text(made)
    made.runs()
    made.back()
    assert made.page.name == "overview"


def test_t_looks_further_back_and_asks_for_that() -> None:
    made = desk()
    assert isinstance(made.feed, PlayFeed)
    made.window()
    assert made.feed.spans[-1] == SPANS[1]
    assert "20 RUNS IN 24 h" in text(made) or "20 RUNS IN 1 d" in text(made)


def test_a_filter_is_over_runs_and_says_how_many_it_lets_through() -> None:
    made = desk()
    made.filter()
    for character in "codex":
        made.typed(character, character)
    assert "7 of 20" in text(made)
    assert "claude" not in "".join(line for line in text(made).splitlines() if "project-" in line)
    made.typed("enter", None)
    made.back()
    assert made.choices.filter == ""


def test_sorting_goes_round_by_cost_tokens_calls_and_time() -> None:
    made = desk()
    messages = []
    for _ in range(4):
        made.sort()
        messages.append(made.choices.message)
    assert messages == ["by TOKENS", "by CALLS", "by BEGAN", "by $"]


def test_enter_tells_how_the_cost_of_a_run_was_come_by() -> None:
    made = desk()
    made.open()
    shown = text(made, (100, 24))
    assert "240 calls of gpt-5-codex, as codex tells them" in shown
    assert "cache_read 9.00M" in shown


def test_before_the_runs_are_added_up_and_without_any_it_says_so() -> None:
    waiting = desk(None)
    assert waiting.waiting
    assert "the runs are being added up" in text(waiting)
    assert "no run of an agent was recorded in the last 1 h: t looks further back" in text(desk(sample_runs.NOTHING))


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 5), (200, 60), (132, 40), (3, 2)])
def test_it_fits_every_terminal_and_names_do_no_harm(size: tuple[int, int]) -> None:
    for made in (desk(size=size), desk(sample_runs.HOSTILE, size, sample.HOSTILE)):
        rows = made.paint(*size)
        assert len(rows) == size[1]
        assert not [c for row in rows for c in row.text.replace(FILL, "") if ord(c) < 32 or 0x7F <= ord(c) < 0xA0]


def test_a_run_that_something_else_counts_says_so_in_full() -> None:
    made = desk(size=(132, 40))
    made.move(2)
    assert "beside what is spent: something else counts it" in text(made, (132, 40))


def test_a_model_of_blanks_is_a_row_that_can_be_seen() -> None:
    page = replace(sample_runs.PAGE, rows=(replace(sample_runs.ROWS[0], models=(" ",)),))
    assert '" "' in text(desk(page, (140, 40)), (140, 40))
