"""Pages from hand-made views: what they say at each size, and that they have it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui import sample
from tests.tui.drawn import SIZES, desk, lines, text
from tui.panels.headline import cost_line, split_line, title_line
from tui.panels.sources import in_order, reason
from tui.screens.overview import layout
from tui.screens.space import Want, reserved, share
from tui.themes import Shades

VIEWS = {"rich": sample.RICH, "empty": sample.EMPTY, "hostile": sample.HOSTILE}


PAGES = {
    **{f"view {n}": lambda desk, n=n: desk.view_page(n) for n in range(1, 7)},
    "model": lambda desk: desk.open(),
    "explain": lambda desk: desk.explain(),
    "grouped": lambda desk: desk.group(),
    "typing": lambda desk: desk.filter(),
    "paused": lambda desk: desk.pause(),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("view", VIEWS)
@given(width=st.integers(1, 210), height=st.integers(1, 64), plain=st.booleans())
@settings(max_examples=25, deadline=None)
def test_every_page_fills_every_size_exactly(view, page, width, height, plain):
    made = desk(VIEWS[view], shades=Shades.BARE if plain else Shades.COLOUR, ascii=plain)
    PAGES[page](made)
    rows = made.paint(width, height)
    assert len(rows) == height
    assert all(len(row.text) == len(row.style) == width for row in rows)


@given(st.integers(0, 70), st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=4), max_size=5))
def test_space_is_given_out_once(height, steps):
    wants = [Want(str(n), tuple(sorted(each))) for n, each in enumerate(steps)]
    given_out = share(height, wants)
    assert sum(given_out.values()) <= height
    assert all(given_out[want.name] <= want.steps[-1] for want in wants)


@given(st.integers(1, 70), st.integers(0, 3))
def test_what_is_reserved_leaves_room_for_a_table(height, notices):
    kept = sum(reserved(height, notices).values())
    assert kept <= height
    assert height - kept >= min(3, height - 1)


@given(st.integers(20, 200), st.integers(1, 60))
def test_panels_never_overlap_nor_leave_their_page(width, height):
    boxes = layout(desk().scene, width, height)
    cells = set()
    for box in boxes:
        for y in range(box.y, box.y + box.height):
            for x in (box.x, box.x + box.width - 1):
                assert (x, y) not in cells or box.width == 1
                cells.add((x, y))
                assert 0 <= x < width
                assert 0 <= y < height


def test_80x24_shows_8_models_5_gpus_2_budgets_the_event_and_the_keys():
    screen = lines(desk())
    for name in sample.NAMES:
        assert any(line[1:].startswith(name) for line in screen), name
    assert sum("/80  " in line or "/40  " in line for line in screen) == 5
    assert any(line.startswith(" everything") for line in screen)
    assert any(line.startswith(" research") and "! over" in line for line in screen)
    assert any(line.startswith(" BUDGET 2/3 ") for line in screen)
    assert screen[-2].startswith(" ! 04:12  gpt-4o 2.6x: prompt tokens/request 1 900 → 4 200 is 51 % of +$2.65/h")
    assert "q quit" in screen[-1]


def test_the_first_lines_answer_what_an_hour_costs_on_what_and_whether_that_is_normal():
    screen = lines(desk())
    assert "gpu-box-3" in screen[0]
    assert "Sun 04:30 CET" in screen[0]
    assert screen[1].startswith(" $ 15.47/h   ▲ 1.3x usual !   today 43.60   month 4 118 → 6 240 ±310 of 6 000 !")
    assert "gpu 10.51  of which idle 3.30 (31 %)  api ~4.96  host 0.40  ! 1 unpriced" in screen[2]


def test_wide_screens_show_more():
    screen = text(desk(), 140, 40)
    for word in (
        "$/HOUR BY MODEL",
        "TTFT p50",
        "ITL ms",
        "wait",
        "KV",
        "prompt/s",
        "margin",
        "SOURCE",
        "1 at default price",
    ):
        assert word in screen, word
    assert "TOKENS/S" not in screen
    larger = text(desk(), 200, 60)
    for word in ("TOKENS/S", "■ cached", "failed", "WHAT TO DO", "EVENT", "HELD DOWN BY"):
        assert word in larger, word


def test_20x5_still_says_what_an_hour_costs():
    screen = lines(desk(), 20, 5)
    assert screen[0].startswith(" $ 15.47/h")
    assert "4.98" in screen[2]
    assert "q quit" in screen[4]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_unknown_is_a_dash_and_never_a_0(size):
    phi = next(line for line in lines(desk(), *size) + lines(desk(), 80, 24) if line[1:].startswith("phi-4"))
    assert " - " in phi
    assert "0.00" not in phi


def test_an_estimate_is_marked_and_a_measurement_is_not():
    screen = lines(desk())
    assert "~4.31" in next(line for line in screen if line.startswith(" gpt-4o"))
    assert "~" not in next(line for line in screen if line[1:].startswith("llama"))


def test_a_stale_row_is_grey_and_says_how_old_it_is():
    made = desk()
    row = next(row for row in made.paint(80, 24) if row.text[1:].startswith("whisper-v3"))
    assert "42 s old" in row.text
    assert set(row.style) <= {" ", "d"}


def test_a_price_that_nobody_set_is_marked():
    made = desk(size=(140, 40))
    row = next(line for line in lines(made, 140, 40) if line.startswith(" 7 L40S"))
    assert "1.55d" in row
    assert "default" in row
    assert not any("2.49d" in line for line in lines(made, 140, 40))


def test_models_and_unheld_gpus_are_all_rows():
    assert any(line.startswith(" unheld") and "gpu 7" in line and "1.55" in line for line in lines(desk()))


def test_a_list_that_does_not_fit_says_what_part_is_shown():
    assert any("GPU 1-5 of 8" in line for line in lines(desk()))


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("size", SIZES[:3])
def test_demo_viewer_and_notices_are_marked_on_every_page(number, size):
    view = replace(sample.RICH, mode="demo", notices=("history is paused: the disk is full", "another"))
    made = desk(view)
    made.view_page(number)
    screen = text(made, *size)
    assert " DEMO " in screen
    assert "history is paused" in screen
    viewer = desk(replace(sample.RICH, mode="viewer", recorder="recorded by pid 4312"))
    viewer.view_page(number)
    assert "viewer: recorded by pid 4312" in text(viewer, *size)


@pytest.mark.parametrize("opened", [lambda made: made.open(), lambda made: made.explain()])
def test_demo_is_marked_where_something_was_opened(opened):
    made = desk(replace(sample.RICH, mode="demo"))
    opened(made)
    assert " DEMO " in lines(made)[0]


def test_the_source_under_the_cursor_is_told_in_full():
    made = desk()
    made.view_page(5)
    made.paint(80, 24)
    made.move(-100)
    assert "was refused (401): it must be an admin key" in " ".join(text(made).split())


def test_without_colour_nothing_is_told_by_colour_alone():
    made = desk(shades=Shades.MONO)
    screen = lines(made, 140, 40)
    assert screen[1].rstrip().endswith("!")
    assert "▌" in next(line for line in screen if "llama-3-70b" in line)
    assert any("× auth" in line for line in screen)
    assert any("! over" in line for line in screen)


def test_the_usual_says_why_it_is_not_known():
    view = replace(
        sample.RICH, headline=replace(sample.HEADLINE, usual_usd_per_hour=None, usual_note="2 of 7 days seen")
    )
    assert "usual: 2 of 7 days seen" in cost_line(desk(view).scene, 100).text
    assert "2 of 7 days seen" in cost_line(desk(view).scene, 120).text


def test_an_unknown_headline_is_all_dashes():
    scene = desk(replace(sample.EMPTY, sources=sample.SOURCES)).scene
    assert cost_line(scene, 80).text.split() == ["$", "-/h", "today", "-", "month", "-"]
    assert split_line(scene, 80).text.strip() == ""
    assert "3 of 7 down" not in title_line(scene, 80).text
    assert "2 of 7 down" in title_line(scene, 80).text


def test_sources_of_which_nothing_is_heard_are_not_said_to_be_down():
    silent = tuple(replace(each, state="stale") for each in sample.SOURCES)
    assert "! 7 of 7 not heard" in title_line(desk(replace(sample.EMPTY, sources=silent)).scene, 80).text


def test_the_page_of_budgets_says_that_there_are_none_and_the_overview_has_no_room_for_that():
    made = desk(replace(sample.RICH, budgets=()))
    assert "BUDGET" not in text(made)
    made.view_page(4)
    assert "no budget is set" in text(made)


def test_a_source_that_is_down_stands_first_and_says_why_without_its_address():
    up = replace(sample.RICH.sources[0], name="a", state="up", detail="")
    detail = "127.0.0.1:8000/metrics answers with a web page, not with metrics: is the url right?"
    down = replace(up, name="z", state="down", address="127.0.0.1:8000", detail=detail)
    assert [each.name for each in in_order((up, down))] == ["z", "a"]
    assert reason(down) == "answers with a web page, not with metrics: is the url right?"
    assert reason(replace(down, detail="there is no /metrics at 127.0.0.1:8000")).startswith("there is no")
