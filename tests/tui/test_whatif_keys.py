"""The what-if page under the hand: how it is opened, walked through, sorted and filtered."""

from dataclasses import replace

from tests.tui import sample_whatif
from tests.tui.drawn_whatif import desk, here, lines, short, text, type_in, words
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.showing import WHATIF


def test_n_goes_to_what_it_costs_now_and_stays_where_nothing_does():
    made = desk()
    made.subject(1)
    made.now()
    assert "= now" in here(made)
    made.subject(1)
    made.choices.filter = "model-007"
    made.paint(80, 24)
    made.now()
    assert "model-007" in here(made)
    made.back()
    made.back()
    made.now()
    assert "llama-3-70b" in here(made)


def test_hundreds_of_rows_scroll_and_say_what_part_is_shown():
    made = desk()
    for _ in range(3):
        made.move(10)
    assert "model-030" in here(made)
    assert "MODEL 25-31 of 402" in text(made)
    made.move(-100_000)
    assert "model-000" in here(made)


def test_a_step_beyond_either_end_stays_and_tab_goes_to_the_next_model():
    made = desk()
    made.move(-1)
    assert "no-price" in here(made)
    made.panel(1)
    assert "what-if › llama-3-70b" in text(made)
    made.panel(-1)
    made.panel(-1)
    assert "what-if › gpt-4o on openai" in text(made)


def test_the_filter_is_its_own_and_counts_what_it_lets_through():
    made = desk()
    type_in(made, "groq/")
    screen = text(made)
    assert "50 of 402" in screen
    assert "anthropic" not in screen
    made.typed("enter", "\r")
    made.whatif()
    assert "llama-3-70b" in text(made)
    made.whatif()
    assert "/groq/" in text(made)
    made.back()
    assert "anthropic" in text(made)


def test_a_row_that_the_filter_hides_leaves_the_cursor_at_the_top():
    made = desk()
    made.move(100_000)
    type_in(made, "groq/")
    assert "model-003" in here(made)


def test_sorting_goes_by_name_and_provider_too():
    made = desk()
    made.sort()
    made.move(-100_000)
    assert "llama-3-70b" in here(made)
    made.sort()
    made.move(-100_000)
    assert "acme" in here(made)


def test_w_on_the_page_of_a_model_opens_its_traffic_and_esc_goes_back_there():
    made = Desk(PlayFeed(), Look())
    made.paint(80, 24)
    made.open()
    made.whatif()
    assert "what-if › llama-3-70b on vllm:8000" in text(made)
    made.back()
    assert "models › llama-3-70b" in text(made)
    made.back()
    made.whatif()
    assert "what-if › everything" in text(made)


def test_7_opens_it_and_w_leaves_it_again():
    made = Desk(PlayFeed(), Look())
    made.view_page(7)
    assert made.page is WHATIF
    made.whatif()
    assert "gpu-box-3" in text(made)


def test_t_looks_further_back_and_waits_for_that_span():
    made = desk()
    made.window()
    made.feed.made = None
    made.tick()
    assert "summing what was recorded in the last 1 d" in words(made)
    assert made.waiting
    made.window()
    made.window()
    assert made.feed.spans[-3:] == [86_400.0, 604_800.0, 3_600.0]
    assert made.feed.windows == []


def test_it_is_asked_for_only_while_it_is_open():
    made = Desk(PlayFeed(), Look())
    for _ in range(3):
        made.tick()
    assert made.feed.spans == []
    made.whatif()
    made.tick()
    made.back()
    asked = len(made.feed.spans)
    made.tick()
    assert asked == len(made.feed.spans) == 2


def test_a_paused_picture_stays():
    made = desk()
    made.pause()
    made.feed.made = sample_whatif.NOTHING
    made.tick()
    assert "model-000" in text(made)


def test_copying_takes_the_alternative():
    assert desk().copied().split("\t")[0] == "model-000"


def test_rows_of_one_provider_and_model_can_all_be_reached():
    one = sample_whatif.LLAMA.alternatives[0]
    made = desk(replace(sample_whatif.PAGE, subjects=(replace(sample_whatif.LLAMA, alternatives=(one, one, one)),)))
    made.move(1)
    made.move(1)
    assert made.choices.cursor("whatif").index == 2


def test_sorted_by_provider_the_title_leaves_that_heading():
    made = short(size=(140, 40))
    made.sort()
    made.sort()
    (title,) = [line for line in lines(made, (140, 40)) if line.startswith(" MODEL")]
    assert "▴PROVIDER" in title
