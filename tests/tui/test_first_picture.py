"""The picture that is there before anything has been read: it says what happens, and fills enough to be seen as one."""

from dataclasses import replace

import pytest

from tests.tui import sample
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.screens.board import pace

STARTING = replace(sample.EMPTY, searched=())


def visible(mode: str, width: int, height: int) -> str:
    rows = Desk(PlayFeed(replace(STARTING, mode=mode)), Look()).paint(width, height)
    return "\n".join(row.text for row in rows)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
@pytest.mark.parametrize("mode", ["live", "demo"])
def test_it_has_two_hundred_characters_so_that_the_first_frame_is_a_first_paint(mode, size):
    assert len("".join(visible(mode, *size).split())) >= 200


def test_it_says_what_is_looked_for_and_what_can_be_done_meanwhile():
    text = visible("live", 80, 24)
    assert "looking for GPUs, engines and provider keys" in text
    assert "infertop --source vllm=" in text


def test_the_demo_looks_for_nothing_and_says_what_it_plays():
    text = visible("demo", 80, 24)
    assert "looking for" not in text
    assert "a recording of real traffic, played on a machine that is made up" in text
    assert "nothing is kept" in text


def test_the_first_figures_do_not_wait_for_a_tick_of_the_usual_length():
    up, starting = replace(sample.RICH.sources[0], state="up"), replace(sample.RICH.sources[0], state="starting")
    view = replace(sample.RICH, interval_seconds=10.0)
    assert pace(replace(view, sources=())) == 0.25
    assert pace(replace(view, sources=(up, starting))) == 0.25
    assert pace(replace(view, sources=(up,))) == 2.0
    assert pace(replace(view, sources=(up,), interval_seconds=0.5)) == 0.5
