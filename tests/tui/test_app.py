"""The app as a person uses it, at the four sizes."""

import asyncio
from dataclasses import replace

import pytest
from textual.events import Key, MouseScrollDown

from tests.tui import sample
from tests.tui.play import PlayFeed
from tui.app import DEMO_EXIT, InfertopApp
from tui.keys import KEYS
from tui.look import Look
from tui.screens.board import Board
from tui.widgets.canvas import Canvas

SIZES = [(80, 24), (140, 40), (200, 60), (20, 5)]


def app(view=sample.RICH, feed: PlayFeed | None = None) -> InfertopApp:
    return InfertopApp(feed or PlayFeed(view), Look())


def shown(made: InfertopApp) -> list[str]:
    canvas = made.screen.query_one(Canvas)
    return [canvas.render_line(y).text for y in range(canvas.size.height)]


@pytest.mark.parametrize("size", SIZES)
async def test_it_paints_starts_the_feed_and_leaves_at_q(size):
    made = app()
    async with made.run_test(size=size) as pilot:
        await pilot.pause()
        assert made.feed.started
        screen = shown(made)
        assert len(screen) == size[1]
        assert all(len(line) == size[0] for line in screen)
        assert any("15.47" in line for line in screen)
        await pilot.press("q")
    assert made.return_code == 0


@pytest.mark.parametrize(("size", "page"), [((80, 24), "1"), ((80, 24), "5"), ((200, 60), "1"), ((20, 5), "1")])
async def test_every_key_can_be_pressed(size, page):
    made = app()
    keys = [key.keys.split(",")[0] for key in KEYS if key.action not in ("leave", "copy", "suspend")]
    async with made.run_test(size=size) as pilot:
        await pilot.press(page, *keys, "escape", "escape")
        assert len(shown(made)) == size[1]
    assert made.crash is None


async def test_a_key_s_picture_is_there_when_the_key_is_done():
    made = app()
    async with made.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        assert any(line.startswith("▌gpt-4o") for line in shown(made))
        await pilot.press("enter")
        assert "models › gpt-4o on openai" in shown(made)[0]
        await pilot.press("question_mark")
        assert "explained" in shown(made)[0]
        await pilot.press("escape", "backspace")
        assert "gpu-box-3" in shown(made)[0]


async def test_typing_a_filter_takes_q_as_a_letter_and_ctrl_c_still_leaves():
    made = app()
    async with made.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"qwen")
        assert "/qwen" in shown(made)[-1]
        assert made.return_code is None
        await pilot.press("ctrl+c")
    assert made.return_code == 0


async def test_d_asks_for_the_demo_on_the_first_start_and_nowhere_else():
    made = app()
    async with made.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        assert made.return_code is None
        await pilot.press("q")
    first = app(sample.EMPTY)
    async with first.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
    assert first.return_code == DEMO_EXIT


async def test_y_copies_the_row_and_nothing_else_does():
    made = app()
    copied = []
    made.copy_to_clipboard = copied.append
    async with made.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "up", "s", "t")
        assert copied == []
        await pilot.press("y")
    assert copied[0].startswith("llama-3-70b\tvllm:8000\t4.98")


async def test_resizes_in_a_row_never_leave_a_wrong_picture():
    made = app(feed=PlayFeed(sample.RICH, moving=True))
    async with made.run_test(size=(80, 24)) as pilot:
        for size in [(20, 5), (200, 60), (1, 1), (81, 24), (500, 200), (79, 23), (140, 40)]:
            await pilot.resize_terminal(*size)
            made.screen.tick()
        await pilot.pause()
        screen = shown(made)
        assert len(screen) == 40
        assert all(len(line) == 140 for line in screen)
        assert "gpu-box-3" in screen[0]
    assert made.crash is None


async def test_the_mouse_selects_and_the_wheel_moves():
    made = app()
    async with made.run_test(size=(80, 24)) as pilot:
        await pilot.click(Canvas, offset=(5, 6))
        assert any(line.startswith("▌deepseek-v3") for line in shown(made))
        canvas = made.screen.query_one(Canvas)
        canvas.post_message(MouseScrollDown(canvas, 5, 6, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert any(line.startswith("▌claude-sonnet-5") for line in shown(made))


async def test_a_tick_takes_the_view_of_now_and_the_interval_sets_the_ticks():
    made = app()
    async with made.run_test(size=(80, 24)) as pilot:
        made.feed.view = replace(
            sample.RICH, headline=replace(sample.HEADLINE, usd_per_hour=99.0), interval_seconds=0.5
        )
        made.screen.tick()
        assert "99.00/h" in shown(made)[1]
        made.feed.view = replace(made.feed.view, headline=replace(sample.HEADLINE, usd_per_hour=98.0))
        await pilot.pause(0.7)
        assert "98.00/h" in shown(made)[1]


async def test_a_terminal_that_does_not_keep_up_gets_no_more_pictures(monkeypatch):
    made = app()
    async with made.run_test(size=(80, 24)):
        monkeypatch.setattr("tui.screens.board.behind", lambda app: True)
        made.feed.view = replace(sample.RICH, headline=replace(sample.HEADLINE, usd_per_hour=99.0))
        made.screen.tick()
        assert "15.47/h" in shown(made)[1]
        assert made.screen.desk.view is made.feed.view


async def test_nothing_of_a_view_reaches_a_widget_that_reads_markup():
    made = app(sample.HOSTILE)
    async with made.run_test(size=(140, 40)) as pilot:
        await pilot.press("enter", "question_mark", "escape", "escape", "5", "end", "6", "1")
        await pilot.pause()
        assert any("[red]x[/]" in line for line in shown(made))
        assert {type(widget).__name__ for widget in made.screen.walk_children()} <= {"Canvas", "Cut"}
    assert made.crash is None


def test_every_action_of_a_key_exists():
    for key in KEYS:
        name = key.action.removeprefix("do('").partition("'")[0]
        assert hasattr(Board, f"action_{name}") or callable(getattr(made_desk(), name)), key


def made_desk():
    from tui.desk import Desk

    return Desk(PlayFeed(), Look())


class SlowStop(PlayFeed):
    async def stop(self) -> None:
        await asyncio.sleep(60)
        self.stopped = True


async def test_a_feed_that_does_not_stop_is_not_waited_for(monkeypatch):
    from tui import app as module

    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    feed = SlowStop()
    made = app(feed=feed)
    monkeypatch.setattr(made, "run_async", lambda mouse: asyncio.sleep(0))
    assert await asyncio.wait_for(module._run(made, mouse=False), 5) == 0
    assert not feed.stopped


async def test_a_key_that_was_pressed_while_views_were_made_is_answered_before_they_are_shown(monkeypatch):
    made = app()
    done = []
    async with made.run_test(size=(80, 24)) as pilot:
        board = made.screen
        monkeypatch.setattr(board, "_show", lambda: done.append("shown"))
        move = board.desk.move

        def moved(step: int) -> None:
            done.append("key")
            move(step)

        monkeypatch.setattr(board.desk, "move", moved)
        board.post_message(Key("down", None))
        board._tick_by_halves()
        await pilot.pause()
    assert done[:2] == ["key", "shown"]
