"""What keys do, without a terminal."""

from dataclasses import replace

from tests.tui import sample
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.screens.overview import VIEWS


def desk(view=sample.RICH, size=(80, 24)) -> Desk:
    made = Desk(PlayFeed(view), Look())
    made.paint(*size)
    return made


def here(made: Desk) -> str:
    return made.choices.cursor(made.choices.panel).key


def model_at(made: Desk) -> str:
    return here(made).partition("\t")[2]


def shown(made: Desk, size=(80, 24)) -> str:
    return "\n".join(row.text for row in made.paint(*size))


def test_the_cursor_scrolls_its_table():
    made = desk()
    made.choices.panel = "gpus"
    made.paint(80, 24)
    for _ in range(7):
        made.move(1)
    assert here(made) == "GPU-7"
    assert " 4-8 of 8" in shown(made)
    assert "▌7 L40S" in shown(made)


def test_a_step_beyond_the_end_goes_on_in_the_next_table_and_around():
    made = desk()
    for _ in range(9):
        made.move(1)
    assert (made.choices.panel, here(made)) == ("gpus", "GPU-0")
    made.move(-1)
    assert made.choices.panel == "models"
    assert model_at(made) == "unheld"
    made.move(-100_000)
    made.move(-1)
    assert made.choices.panel == "budgets"


def test_pages_and_ends_stay_in_their_table():
    made = desk()
    made.move(100_000)
    assert (made.choices.panel, model_at(made)) == ("models", "unheld")
    made.move(-10)
    made.move(-10)
    assert model_at(made) == "llama-3-70b"


def test_tab_goes_through_the_tables_of_the_page():
    made = desk()
    seen = []
    for _ in range(4):
        seen.append(made.choices.panel)
        made.panel(1)
    assert seen == ["models", "gpus", "budgets", "models"]


def test_enter_opens_a_model_and_esc_goes_back():
    made = desk()
    made.open()
    assert made.page.name == "model"
    made.paint(80, 24)
    made.explain()
    assert made.page.name == "explain"
    made.back()
    made.back()
    assert made.page is VIEWS[0]


def test_enter_on_another_row_explains_it():
    made = desk()
    made.choices.panel = "budgets"
    made.paint(80, 24)
    made.open()
    assert made.page.name == "explain"
    assert "budgets › research › explained" in shown(made)


def test_enter_on_a_group_or_the_unheld_gpus_opens_no_model():
    made = desk()
    made.move(100_000)
    made.open()
    assert made.page.name == "explain"


def test_a_filter_is_live_for_models_and_gpus_and_q_is_a_letter_in_it():
    made = desk()
    made.filter()
    for letter in "qwen":
        made.typed(letter, letter)
    screen = shown(made)
    assert "/qwen" in screen
    assert "1 of 8" in screen
    assert "qwen3-32b" in screen
    assert "llama-3-70b" not in screen
    assert "4 H100 MIG" in screen
    made.typed("enter", "\r")
    assert not made.choices.typing
    assert "/qwen" in shown(made)
    made.back()
    assert "llama-3-70b" in shown(made)


def test_esc_while_typing_drops_the_filter_and_backspace_takes_a_letter():
    made = desk()
    made.filter()
    for letter in "gpt":
        made.typed(letter, letter)
    made.typed("backspace", "\x7f")
    assert made.choices.filter == "gp"
    made.typed("escape", "\x1b")
    assert (made.choices.typing, made.choices.filter) == (False, "")


def test_a_filter_that_matches_nothing_says_so():
    made = desk()
    made.choices.filter = "nothing like it"
    assert "no model matches the filter" in shown(made)
    assert "no GPU matches the filter" in shown(made)


def test_sorting_cycles_marks_its_column_and_leaves_the_unknown_last():
    made = desk()
    made.sort()
    assert made.choices.message == "by tok/s"
    assert "▾tok/s" in shown(made)
    for _ in range(2):
        made.sort()
    names = [line[1:16].strip() for line in shown(made).split("\n")[4:12]]
    assert names[0] == "claude-sonnet-5"
    assert names[-1] == "phi-4"
    for _ in range(4):
        made.sort()
    assert "▾$/h" in shown(made)


def test_grouping_sums_what_adds_up_and_marks_a_sum_with_an_unknown_part():
    made = desk(size=(100, 40))
    made.group()
    by_source = shown(made, (100, 40)).split("\n")
    triton = next(line for line in by_source if line.startswith(" triton:8002"))
    assert "1.38" in triton
    made.group()
    by_kind = shown(made, (100, 40)).split("\n")
    assert "5.96" in next(line for line in by_kind if line.startswith(("▌vllm", " vllm")))
    lone = next(line for line in by_kind if line[1:].startswith("llamacpp "))
    assert "0.00" not in lone
    made.group()
    assert made.choices.message == "flat"


def test_windows_and_intervals_cycle_through_the_feed():
    made = desk()
    for _ in range(3):
        made.window()
        made.tick()
    assert made.feed.windows == [900.0, 60.0, 300.0]
    made.interval(1)
    made.tick()
    made.interval(-1)
    made.tick()
    made.interval(-1)
    made.tick()
    made.interval(-1)
    assert made.feed.intervals == [2.0, 1.0, 0.5, 0.5]


def test_pause_freezes_the_picture_and_says_so():
    made = desk()
    made.pause()
    made.feed.view = replace(sample.RICH, headline=replace(sample.HEADLINE, usd_per_hour=99.0))
    made.tick()
    screen = shown(made)
    assert " PAUSED " in screen
    assert "at 04:30:00, collecting goes on" in screen
    assert "99.00/h" not in screen
    made.pause()
    assert "99.00/h" in shown(made)


def test_copying_takes_the_row_with_its_columns():
    made = desk()
    assert made.copied().split("\t")[:3] == ["llama-3-70b", "vllm:8000", "4.98"]


def test_copying_from_a_text_page_takes_what_is_shown():
    made = desk()
    made.open()
    made.paint(80, 24)
    assert "KV cache peak" in made.copied()


def test_a_click_selects_a_second_one_opens_and_one_on_a_heading_sorts():
    made = desk()
    screen = shown(made).split("\n")
    y = next(n for n, line in enumerate(screen) if "qwen3-32b" in line)
    made.click(5, y)
    assert model_at(made) == "qwen3-32b"
    made.paint(80, 24)
    made.click(5, 3 + 0)
    x = screen[3].index("tok/s")
    made.click(x + 2, 3)
    assert "▾tok/s" in shown(made)
    y = next(n for n, line in enumerate(shown(made).split("\n")) if "qwen3-32b" in line)
    made.click(5, y)
    assert made.page.name == "model"


def test_a_click_outside_of_any_table_does_nothing():
    made = desk()
    made.click(0, 0)
    made.click(500, 500)
    assert made.page is VIEWS[0]


def test_number_keys_leave_what_was_opened():
    made = desk()
    made.open()
    made.view_page(3)
    assert made.page is VIEWS[2]
    made.paint(80, 24)
    assert made.choices.panel == "gpus"
    made.back()
    assert made.page is VIEWS[0]


def test_a_page_of_text_goes_on_by_what_is_shown():
    made = desk()
    made.explain()
    first = shown(made).split("\n")
    made.move(10)
    second = shown(made).split("\n")
    assert second[1] == first[21]
    made.move(-10)
    assert shown(made).split("\n") == first


def test_a_text_scrolls_and_stops_at_its_ends():
    made = desk()
    made.explain()
    top = shown(made)
    made.move(-1)
    assert shown(made) == top
    made.move(100_000)
    end = shown(made)
    assert end != top
    made.move(5)
    assert shown(made) == end


def test_keys_of_a_replay_steer_time_and_freeze_no_picture():
    made = desk(replace(sample.RICH, mode="replay"))
    made.subject(-1)
    made.hour(1)
    made.interval(1)
    made.pause()
    assert made.feed.steered == [("go", -60), ("go", 3600), ("speed", 1), ("hold", 0)]
    assert not made.choices.paused
    assert made.choices.message == "hold 0"


def test_keys_of_a_replay_are_named_in_one_and_do_nothing_elsewhere():
    live, replayed = desk(), desk(replace(sample.RICH, mode="replay"))
    live.subject(-1)
    live.hour(1)
    assert live.feed.steered == []
    assert "[ ] hour" in shown(replayed, (140, 40))
    assert "[ ] hour" not in shown(live, (140, 40))
