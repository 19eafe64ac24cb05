"""What the room of large screens is used for, and what is there at the first look at a page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.views.shapes import Event
from tests.tui import sample, sample_incidents, sample_runs
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.panels.events import EVENTS
from tui.sentences import sentence
from tui.widgets.chart import Grid, Plot, ceiling, draw, grid
from tui.widgets.spark import spark

WALL = (200, 60)


def shown(number: int, size: tuple[int, int] = WALL, view: object = sample.RICH) -> str:
    """Return the first picture of a page that nobody has looked at before."""
    made = Desk(PlayFeed(view), Look())  # type: ignore[arg-type]
    made.view_page(number)
    return "\n".join(row.text for row in made.paint(*size))


def test_the_row_under_the_cursor_is_told_in_full_at_the_first_look() -> None:
    for number, label in ((3, "held down by"), (4, "of what"), (5, "kind"), (6, "when")):
        assert label in shown(number, (100, 30), sample_incidents.VIEW), label


def test_what_matters_most_is_said_once_where_the_list_of_events_is_on_the_page() -> None:
    made = Desk(PlayFeed(sample_incidents.VIEW), Look())
    picture = "\n".join(row.text for row in made.paint(*WALL))
    assert any(box.panel is EVENTS for box in made.picture.boxes)
    top = next(row for row in picture.splitlines() if row.startswith((" !", "▌!")))
    assert sum(top[2:12] in line for line in picture.splitlines()) == 1


def test_charts_have_round_figures_at_even_steps_beside_them() -> None:
    for height in range(2, 60):
        for peak in (0.0007, 0.9, 3.3, 7.4, 23.0, 58.0, 149.0, 2_999.0):
            top = ceiling(peak)
            beside = grid(height, top)
            labels = [(y, beside.label(y, top)) for y in range(height) if beside.label(y, top)]
            assert len(labels) == beside.parts
            assert height - beside.rows in (0, 1)
            for y, text in labels[:-1]:
                value = top * (y + 1) / beside.rows
                assert abs(float(text.replace(" ", "").replace("k", "e3")) - value) < 1e-9 + value / 100, (text, value)
            assert height < 8 or beside.parts >= 2, (height, top)


def test_a_chart_stands_as_high_as_its_scale_says() -> None:
    top, height = 60.0, 13
    assert grid(height, top) == Grid(12, 3)
    rows = draw(Plot(((0, (20.0,) * 40),)), 47, height, top)
    filled = [row.text[10] != " " for row in rows]
    assert filled == [False] * 9 + [True] * 4
    assert [row.text[:6].strip() for row in rows] == ["", "60", "", "", "", "40", "", "", "", "20", "", "", ""]


def gpus(size: tuple[int, int] = WALL) -> Desk:
    made = Desk(PlayFeed(), Look())
    made.view_page(3)
    made.paint(*size)
    return made


def test_the_gpu_under_the_cursor_has_its_course_beside_it() -> None:
    made = gpus()
    before = text(made)
    for words in ("UTIL %  5 min", "POWER W  5 min", "MEMORY GiB  5 min", "°C  5 min", "last ", "mean ", "most "):
        assert words in before, words
    made.move(1)
    after = text(made)
    assert figures(after, "POWER W") != figures(before, "POWER W")


def test_the_charts_of_a_gpu_end_at_its_limits() -> None:
    picture = text(gpus())
    for top in (" 100 ", " 800 ", " 80 "):  # per cent, above 700 W, GiB
        assert top in picture, top


def test_a_paused_picture_keeps_the_course_that_it_had() -> None:
    made = gpus()
    made.pause()
    before = figures(text(made), "POWER W")
    made.feed.view = replace(sample.RICH, gpus=tuple(replace(g, power_watts=1.0) for g in sample.RICH.gpus))  # type: ignore[attr-defined]
    assert figures(text(made), "POWER W") == before
    made.pause()
    assert figures(text(made), "POWER W") != before


def test_a_gpu_that_is_gone_has_no_course_and_narrow_screens_have_none() -> None:
    made = gpus()
    made.feed.view = sample.EMPTY  # type: ignore[attr-defined]
    assert "POWER W" not in text(made)
    assert "POWER W" not in text(gpus((80, 24)), (80, 24))


def test_a_source_has_beside_it_what_it_tells_of_and_what_happened_to_it() -> None:
    restart = Event(sample.AT - 600, "info", "restart", "its counters fell", {"source": "vllm@127.0.0.1:8000"})
    gpus = tuple(replace(gpu, source="nvml") for gpu in sample.RICH.gpus)
    made = Desk(PlayFeed(replace(sample.RICH, events=(restart,), gpus=gpus)), Look())
    made.view_page(5)
    made.paint(*WALL)
    made.choices.cursor("sources").key = "vllm@127.0.0.1:8000"
    engine = text(made)
    assert beside(engine, "TELLS OF", 1).split()[:2] == ["llama-3-70b", "4.98"]
    assert "04:20  its counters fell" in engine
    assert "$/HOUR BY MODEL" in engine
    made.choices.cursor("sources").key = "nvml"
    assert beside(text(made), "TELLS OF", 1).split()[:4] == ["0", "H100", "80GB", "HBM3"]


def test_projects_are_summed_beside_the_runs_that_are_listed() -> None:
    made = Desk(PlayFeed(), Look())
    made.runs()
    picture = text(made)
    counted = [row for row in sample_runs.PAGE.rows if row.counts and row.usd is not None]
    shown = [float(beside(picture, "BY PROJECT", n).split()[2]) for n in range(1, 5)]
    assert sum(shown) == pytest.approx(sum(row.usd or 0.0 for row in counted), abs=0.02)
    assert shown == sorted(shown, reverse=True)
    made.filter()
    for letter in "project-2":
        made.typed(letter, letter)
    assert beside(text(made), "BY PROJECT", 2).strip() == ""


def test_the_pages_of_what_is_paid_by_use_end_with_a_chart_of_apis_alone() -> None:
    for open_page in (Desk.runs, Desk.accounts):
        made = Desk(PlayFeed(), Look())
        open_page(made)
        row = next(row for row in text(made).splitlines() if "$/HOUR OF APIS" in row)
        assert "gpt-4o" in row
        assert "llama-3-70b" not in row
        made.feed.view = replace(sample.RICH, models=sample.RICH.models[:1])  # type: ignore[attr-defined]
        made.tick()
        assert "$/HOUR OF APIS" not in text(made)


def test_a_legend_that_has_no_room_says_how_many_more_there_are() -> None:
    made = Desk(PlayFeed(), Look())
    made.view_page(4)
    (row,) = (row for row in text(made, (84, 60)).splitlines() if "$/HOUR BY MODEL" in row)
    names = [name for name, _ in sample.RICH.cost_history.layers]
    shown = [name for name in names if f"■ {name} " in row]
    assert row.split()[-1] == f"+{len(names) - len(shown)}"
    assert shown == names[: len(shown)]


def test_a_line_that_ends_at_a_limit_shows_how_near_it_is() -> None:
    assert spark((0.5, 0.5, 0.5), 3, 1.0) == "▄▄▄"
    assert spark((1.0, 2.0, None), 3, 1.0) == "██ "
    assert spark((0.5, 0.5), 2) == "▃▃"


def test_what_is_usual_is_said_also_where_nothing_is_spent_now() -> None:
    head = replace(sample.RICH.headline, usd_per_hour=None, usual_usd_per_hour=15.667)
    made = Desk(PlayFeed(replace(sample.RICH, headline=head)), Look())
    assert "$ -/h   usual 15.67/h" in text(made, (100, 30))


def test_figures_of_sentences_are_written_as_those_of_tables() -> None:
    assert (
        sentence("12,027 tokens, 5% of 27.6 M, 3.2 +- 0.1, a -> b") == "12 027 tokens, 5 % of 27.6M, 3.2 ± 0.1, a → b"
    )
    assert sentence("http://x/%20%d50%AB") == "http://x/%20%d50%AB"


def beside(picture: str, title: str, below: int) -> str:
    """Return what stands so many rows below a heading, from its first cell on."""
    rows = picture.splitlines()
    at = next(n for n, row in enumerate(rows) if title in row)
    return rows[at + below][rows[at].index(title) :]


def text(made: Desk, size: tuple[int, int] = WALL) -> str:
    return "\n".join(row.text for row in made.paint(*size))


def figures(picture: str, title: str) -> str:
    """Return what a chart's heading says behind its title."""
    return next(row for row in picture.splitlines() if title in row).partition(title)[2]
