"""Pages from hand-made views: what they say at each size, and that they have it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.views.shapes import Quantiles
from tests.tui import sample
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.keys import KEYS, footer
from tui.look import Look
from tui.panels.headline import cost_line, split_line, title_line
from tui.panels.sources import in_order, reason
from tui.screens.overview import layout
from tui.screens.space import Want, reserved, share
from tui.themes import Shades
from tui.widgets.cells import FILL

SIZES = ((80, 24), (140, 40), (200, 60), (20, 5))
VIEWS = {"rich": sample.RICH, "empty": sample.EMPTY, "hostile": sample.HOSTILE}
PAGES = {
    **{f"view {n}": lambda desk, n=n: desk.view_page(n) for n in range(1, 7)},
    "model": lambda desk: desk.open(),
    "explain": lambda desk: desk.explain(),
    "grouped": lambda desk: desk.group(),
    "typing": lambda desk: desk.filter(),
    "paused": lambda desk: desk.pause(),
}


def desk(view=sample.RICH, size=(80, 24), **look) -> Desk:
    made = Desk(PlayFeed(view), Look(**look))
    made.paint(*size)
    return made


def lines(made: Desk, width: int = 80, height: int = 24) -> list[str]:
    return [row.text.replace(FILL, "") for row in made.paint(width, height)]


def text(made: Desk, width: int = 80, height: int = 24) -> str:
    return "\n".join(lines(made, width, height))


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


def test_the_first_start_says_what_was_looked_for_and_what_to_do():
    screen = text(desk(sample.EMPTY))
    assert "infertop looked for:" in screen
    assert "NVML library: not found (no NVIDIA driver on this machine)" in screen
    assert "infertop --source vllm=http://HOST:8000" in screen
    assert "press d for the demo" in screen
    assert "d demo" in screen


def test_the_first_start_gives_way_as_soon_as_a_source_appears():
    made = desk(sample.EMPTY)
    made.feed.view = replace(sample.EMPTY, sources=sample.SOURCES[1:2])
    made.tick()
    screen = text(made)
    assert "infertop looked for" not in screen
    assert "no model has been seen yet" in screen
    assert "no GPU: not found (no NVIDIA driver on this machine)" in screen


def test_before_anything_was_looked_for_it_says_that_it_is_looking():
    assert "looking for GPUs, engines and provider keys" in text(desk(replace(sample.EMPTY, searched=())))


def test_the_page_of_an_api_says_in_one_line_that_it_tells_no_latency():
    silent = dict.fromkeys(("ttft", "inter_token", "request", "queue"), Quantiles())
    _, screen = of_model(stated=True, **silent)
    assert "not told: what is read of it has no latency" in screen
    assert [word for word in ("TTFT", "p95", "queue s") if word in screen] == []
    _, told = of_model(stated=True)
    assert "TTFT" in told
    assert "not told: what is read" not in told


def test_the_page_of_a_model_shows_all_that_is_known_of_it():
    made = desk()
    made.open()
    screen = text(made, 140, 60)
    for word in (
        "models › llama-3-70b on vllm:8000",
        "4.98/h all-in",
        "4.18/h by usage",
        "/1M output",
        "/h prefill",
        "/h decode",
        "5.40M",
        "KV cache peak",
        "prefix hits",
        "drafts taken    63 %",
        "preemptions/s",
        "<0.3",
        ">60",
        "0.14 (0.11-0.19)",
        "0 H100 80GB HBM3",
        "prefill and decode by token weights",
        "not reported by the engine: power of one process, prefill time",
        "shadow price 0.60 in",
    ):
        assert word in screen, word


def of_model(width=140, height=60, **changes):
    """The page of the dearest model, with these figures of its row changed, and the overview under it."""
    row = replace(sample.MODELS[0], **changes)
    made = desk(replace(sample.RICH, models=(row, *sample.MODELS[1:])))
    above = text(made, width, height)
    made.open()
    return above, text(made, width, height)


@pytest.mark.parametrize("size", [(80, 60), (140, 40)])
def test_failures_are_shown_by_reason_and_what_clients_gave_up_beside_them(size):
    reasons = {"overloaded": 2.5, "4xx": 0.25, "never": 0.0, "\x1b[2Jx": 0.01}
    _, screen = of_model(*size, failed_per_second=2.76, failed_by_reason=reasons, aborted_per_second=0.5)
    assert re.search(r"failed +2\.76", screen)
    assert re.search(r" overloaded +2\.50", screen)
    assert re.search(r" 4xx +0\.25", screen)
    assert re.search(r"aborted +0\.50", screen)
    assert "never" not in screen
    assert "\x1b[2J" not in screen


def test_requests_are_shown_by_why_their_answers_ended():
    screen = of_model(answers_by_reason={"stop": 3.1, "length": 0.3, "repetition": 0.0})[1]
    assert re.search(r" stop +3\.10", screen)
    assert re.search(r" length +0\.30", screen)
    assert "repetition" not in screen


def test_gpu_time_by_phase_is_shown_where_the_engine_measures_it():
    assert "GPU prefill" not in of_model()[1]
    screen = of_model(prefill_gpu_ratio=0.21, decode_gpu_ratio=0.6)[1]
    assert re.search(r"GPU prefill +21 %", screen)
    assert re.search(r"GPU decode +60 %", screen)


def test_an_engine_that_sleeps_says_so_on_both_pages():
    above, screen = of_model(asleep=1.0)
    assert "asleep" in above
    assert "! asleep: its weights are off the GPU, what it still holds there is idle cost" in screen
    above, screen = of_model(asleep=0.5)
    assert "asleep" not in above
    assert "! asleep on 50 % of its ranks" in screen
    assert "asleep" not in of_model(asleep=0.0)[1]


def test_figures_of_which_nothing_moves_are_marked_as_old():
    above, screen = of_model(200, 60, stuck=True)
    assert "14?" in above
    assert re.search(r"running +14\?", screen)
    assert "! running, waiting and KV cache are old: nothing has moved for 30 s" in screen
    assert "14?" not in of_model(200, 60)[0]


def test_what_figures_mean_and_what_an_engine_does_not_show_is_said_below_them():
    made = desk()
    page = sample.page(sample.RICH, "vllm@127.0.0.1:8000", "llama-3-70b")
    more = replace(page, caveats=("a request counts twice",), not_shown=("failures", "queue"))
    made.feed.model_page = lambda source, model: more
    made.open()
    screen = text(made, 140, 60)
    assert "note: a request counts twice" in screen
    assert "not on its page (yet): failures, queue" in screen


def test_a_model_that_is_gone_keeps_its_last_page():
    made = desk()
    made.open()
    made.feed.view = replace(sample.RICH, models=sample.MODELS[1:])
    made.tick()
    screen = text(made)
    assert "llama-3-70b is not reported any more" in screen
    assert "KV cache peak" in screen


def test_help_explains_the_row_under_the_cursor_and_lists_every_key():
    made = desk()
    made.explain()
    screen = text(made, 140, 60)
    assert "= $4.98/h x 300.2 s / 3600 / 1 021 requests finished" in screen
    assert "the usual $/h of each hour of the week" in screen
    for key in KEYS:
        assert not key.help or key.help in screen, key


def test_the_source_under_the_cursor_is_told_in_full():
    made = desk()
    made.view_page(5)
    made.paint(80, 24)
    made.move(-100)
    assert "was refused (401): it must be an admin key" in " ".join(text(made).split())


@pytest.mark.parametrize("width", range(10, 200, 7))
def test_the_footer_shows_whole_keys_and_always_how_to_leave(width):
    row = footer("overview", width).text
    assert "q quit" in row
    assert all(word.strip().split(" ", 1)[0] for word in row.split("  ") if word.strip())


def test_in_ascii_no_glyph_is_left_and_keys_have_names():
    made = desk(ascii=True, shades=Shades.BARE)
    rows = [made.look.finish(row) for row in made.paint(140, 40)]
    assert all(row.text.isascii() for row in rows)
    assert "enter open" in rows[-1].text
    assert "6 240+-310" in rows[1].text


def test_without_colour_nothing_is_told_by_colour_alone():
    made = desk(shades=Shades.MONO)
    screen = lines(made, 140, 40)
    assert screen[1].rstrip().endswith("!")
    assert "▌" in next(line for line in screen if "llama-3-70b" in line)
    assert any("× auth" in line for line in screen)
    assert any("! over" in line for line in screen)


def test_the_usual_is_left_out_where_it_is_not_known():
    view = replace(
        sample.RICH, headline=replace(sample.HEADLINE, usual_usd_per_hour=None, usual_note="2 of 7 days seen")
    )
    assert "usual" not in cost_line(desk(view).scene, 100).text
    assert "2 of 7 days seen" in cost_line(desk(view).scene, 120).text


def test_an_unknown_headline_is_all_dashes():
    scene = desk(replace(sample.EMPTY, sources=sample.SOURCES)).scene
    assert cost_line(scene, 80).text.split() == ["$", "-/h", "today", "-", "month", "-"]
    assert split_line(scene, 80).text.strip() == ""
    assert "3 of 7 down" not in title_line(scene, 80).text
    assert "2 of 7 down" in title_line(scene, 80).text


def test_the_page_of_budgets_says_that_there_are_none_and_the_overview_has_no_room_for_that():
    made = desk(replace(sample.RICH, budgets=()))
    assert "BUDGET" not in text(made)
    made.view_page(4)
    assert "no budget is set" in text(made)


def test_the_first_start_has_a_cursor_that_answers_every_arrow():
    made = desk(sample.EMPTY)

    def marked():
        return [n for n, line in enumerate(lines(made)) if line.startswith("▌")]

    (before,) = marked()
    made.move(1)
    assert marked() == [before + 1]
    made.open()
    assert "type it" in text(made)


def test_a_source_that_is_down_stands_first_and_says_why_without_its_address():
    up = replace(sample.RICH.sources[0], name="a", state="up", detail="")
    detail = "127.0.0.1:8000/metrics answers with a web page, not with metrics: is the url right?"
    down = replace(up, name="z", state="down", address="127.0.0.1:8000", detail=detail)
    assert [each.name for each in in_order((up, down))] == ["z", "a"]
    assert reason(down) == "answers with a web page, not with metrics: is the url right?"
    assert reason(replace(down, detail="there is no /metrics at 127.0.0.1:8000")).startswith("there is no")
