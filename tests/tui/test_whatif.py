"""The what-if page: what it says at each size, and what it says where nothing is known."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.views.whatif_shapes import AS_NOW, SEVERAL_KINDS, BreakEven, Scale
from tests.tui import sample, sample_whatif
from tests.tui.drawn_whatif import SIZES, desk, here, lines, text, type_in, words
from tests.tui.play import PlayFeed
from tui import format as fmt
from tui.desk import Desk
from tui.look import Look
from tui.panels.whatif import diverging
from tui.showing import WHATIF
from tui.themes import Shades

PAGES = {
    "page": sample_whatif.PAGE,
    "nothing": sample_whatif.NOTHING,
    "unreadable": sample_whatif.UNREADABLE,
    "hostile": sample_whatif.HOSTILE,
    "without figures": sample_whatif.EMPTY_SUBJECT,
    "not made yet": None,
}


@pytest.mark.parametrize("name", PAGES)
@given(width=st.integers(1, 210), height=st.integers(1, 64), plain=st.booleans(), opened=st.booleans())
@settings(max_examples=25, deadline=None)
def test_it_fills_every_size_exactly(name, width, height, plain, opened):
    made = desk(PAGES[name], shades=Shades.BARE if plain else Shades.COLOUR, ascii=plain)
    if opened:
        made.explain()
    rows = made.paint(width, height)
    assert len(rows) == height
    assert all(len(row.text) == len(row.style) == width for row in rows)


@pytest.mark.parametrize("size", SIZES)
def test_it_says_whose_traffic_what_it_costs_now_and_what_it_is_made_of(size):
    made = desk()
    made.subject(1)
    screen = words(made, size)
    for said in (
        "what-if › llama-3-70b on vllm:8000",
        "$ 4.98/h now",
        "3.51 req/s",
        "1 546 fresh/s",
        "845 output/s",
        "629 cached/s",
        "recorded 58 min of the last 1 h (97 %)",
        "← 2 of 3 →",
    ):
        assert said in screen, said


@pytest.mark.parametrize("size", SIZES)
def test_alternatives_stand_cheapest_first_with_cheaper_and_dearer_in_words(size):
    made = desk(size=size)
    top = lines(made, size)
    first = next(n for n, line in enumerate(top) if "model-000" in line)
    assert "▼ cheaper" in top[first]
    assert "model-001" in top[first + 1]
    made.move(100_000)
    last = text(made, size)
    assert "no-price" in last
    assert "▲ dearer" in last


@pytest.mark.parametrize("size", SIZES)
def test_break_even_growth_and_savings_are_on_every_size(size):
    screen = words(desk(size=size), size)
    for said in ("BREAK-EVEN", "41 % ● reachable", "× never on this GPU", "? not measured"):
        assert said in screen, said
    assert "1x 2 930 6.89 2 4.98" in screen
    assert "100x 293k 689.00 - -" in screen
    assert "prompt cache 0.42" in screen
    assert "more caching 1.10" in screen


def test_wide_screens_give_the_sentences_the_bar_and_where_a_price_is_from():
    screen = text(desk(size=(140, 40)), (140, 40))
    for said in ("CHEAPER│DEARER", "snapshot 2026-11-10", "2026-06-01", "12 whole GPUs at 2 600 tokens/s each", "own"):
        assert said in screen, said


def test_what_costs_it_now_is_marked_in_its_place():
    made = desk()
    made.subject(1)
    type_in(made, "llama-3-70b")
    row = here(made)
    assert "llama-3-70b" in row
    assert "1.00x" in row
    assert "= now" in row


def test_what_is_unknown_is_a_dash_and_never_a_0():
    made = desk(size=(140, 40))
    made.move(100_000)
    (row,) = [line for line in lines(made, (140, 40)) if "no-price" in line]
    assert "0.00" not in row
    assert row.split()[2:6] == ["-", "-", "-", "-"]
    bare = words(desk(sample_whatif.EMPTY_SUBJECT))
    assert "$ -/h now - req/s" in bare
    assert "no other model has a price for this traffic" in bare


def test_a_model_without_traffic_says_so_and_leads_to_the_others():
    made = desk()
    made.choices.subject = "vllm@127.0.0.1:8000\tquiet"
    assert "no traffic of quiet was recorded in the last 1 h" in words(made)
    made.subject(1)
    assert "what-if › everything" in text(made)


def test_without_a_history_it_says_why():
    screen = words(desk(sample_whatif.UNREADABLE))
    assert "! the history cannot be read: the disk is full" in screen
    assert "This is the last 1 h; t looks further back." in screen
    assert "No traffic was recorded. This is the last 1 h" in words(desk(sample_whatif.NOTHING))


def test_a_notice_in_place_of_a_page_is_never_cut():
    told = "no tokens and no cost were recorded in this time: a longer time may have some of them"
    made = desk(replace(sample_whatif.NOTHING, notices=(told,)))
    assert f"! {told}" in words(made)


def test_help_tells_the_alternative_its_price_and_how_everything_was_come_by():
    made = desk()
    made.subject(1)
    made.paint(80, 24)
    made.explain()
    screen = words(made, (80, 120))
    for said in (
        "what-if › explained",
        "openai model-000 $/h 0.05",
        "price: snapshot 2026-11-10",
        "cache_read has no price of its own: input's was used",
        "12 240 requests in 3 492 s",
        "the highest minute of the last 7 days",
        "never on this GPU: 569 million tokens a day are needed and 449 million can be served",
        "if every prompt token had been read from the cache",
        "what the traffic would cost on other models and GPUs",
    ):
        assert said in screen, said
    made.back()
    assert made.page is WHATIF


@pytest.mark.parametrize("size", SIZES)
def test_without_colour_and_in_ascii_it_says_the_same(size):
    made = desk(size=size, shades=Shades.BARE, ascii=True)
    screen = "\n".join(made.look.finish(row).text for row in made.paint(*size))
    assert screen.isascii()
    for said in ("v cheaper", "x never on this GPU", "< 1 of 3 >"):
        assert said in screen, said


def test_demo_is_marked_on_it():
    assert " DEMO " in lines(desk(view=replace(sample.RICH, mode="demo")))[0]


def test_a_name_that_begins_as_an_estimate_does_is_quoted():
    odd = sample_whatif.alternative("openrouter", "~openai/gpt-latest", 0.5, 4.98)
    made = desk(replace(sample_whatif.PAGE, subjects=(replace(sample_whatif.LLAMA, alternatives=(odd,)),)))
    assert '"~openai/gpt-latest" openrouter 0.50' in words(made)
    rows = tuple(replace(row, model=f"~{row.model}", basis="estimated") for row in sample.RICH.models)
    overview = Desk(PlayFeed(replace(sample.RICH, models=rows)), Look())
    screen = text(overview)
    assert '"~gpt-4o"' in screen
    assert "~4.31" in screen


def test_figures_are_written_one_way_on_the_page_and_in_its_sentences():
    told = "at $1,131 a month, 27.6 M tokens a day of 12,240,000; llama-3,70b"
    subject = replace(
        sample_whatif.LLAMA,
        explained=(told,),
        savings=(replace(sample_whatif.LLAMA.savings[0], sentence=told),),
        break_even=(replace(sample_whatif.LLAMA.break_even[0], sentence=told),),
    )
    made = desk(replace(sample_whatif.PAGE, subjects=(subject,), notices=(told,)))
    shown = "at $1 131 a month, 27.6M tokens a day of 12 240 000; llama-3,70b"
    assert f"! {shown}" in words(made, (200, 60))
    assert f"prompt cache 0.42 {shown}" in words(made, (200, 60))
    made.explain()
    assert words(made, (200, 90)).count(shown) >= 4
    assert "1,131" not in text(made, (200, 90))


def test_a_break_even_far_beyond_what_gpus_serve_is_said_in_full_at_80_columns():
    never = BreakEven(
        "huggingface_novita/deepseek-ai/DeepSeek-V3", 0.1, 1.23e12, 4e6, 3075.0, False, "never on this GPU: ..."
    )
    made = desk(replace(sample_whatif.PAGE, subjects=(replace(sample_whatif.LLAMA, break_even=(never,)),)))
    (row,) = [line for line in lines(made) if "never" in line]
    assert row.endswith("× never on this GPU ")
    assert "308k %" in row
    assert "#" not in row


def test_every_sentence_of_the_blocks_can_be_read_at_80x24():
    made = desk()
    made.subject(1)
    made.explain()
    seen = []
    for _ in range(20):
        seen.append(words(made))
        made.move(5)
    for each in (*sample_whatif.LLAMA.break_even, *sample_whatif.LLAMA.savings):
        assert any(each.sentence in page for page in seen), each.sentence


def test_of_everything_both_parts_are_paid_and_neither_is_cheaper():
    both = Scale(1.0, 2930.0, AS_NOW, 1.2, 1, 3.0, "each engine on GPUs of its own")
    made = desk(replace(sample_whatif.PAGE, subjects=(replace(sample_whatif.ALL, scale=(both,)),)))
    assert "1x 2 930 1.20 1 3.00 4.20" in words(made)


def test_gpus_of_more_than_one_name_are_told_as_such():
    mixed = replace(sample_whatif.ALL, gpus=6.0, gpu_name=SEVERAL_KINDS)
    assert "on 6 GPUs of several kinds at 2.49/h" in words(desk(replace(sample_whatif.PAGE, subjects=(mixed,))))


def test_gpus_that_are_only_thought_of_are_named_with_what_one_can_serve():
    asked = replace(sample_whatif.GPT, gpu_name="NVIDIA H100 80GB HBM3", capacity_tokens_per_second=640.0)
    made = desk(replace(sample_whatif.PAGE, subjects=(asked,)))
    assert "one H100 80GB HBM3 can serve 640 tok/s" in words(made)


def test_a_bar_goes_left_for_cheaper_right_for_dearer_and_is_short_for_the_same():
    assert diverging(0.5, 17) == "      ━━│"
    assert diverging(4.0, 17) == "        │━━━━"
    assert diverging(1.0, 17) == "        │"
    assert len(diverging(1e-9, 17)) == 9
    assert len(diverging(1e9, 17)) == 17
    assert diverging(None, 17) == diverging(0.0, 17) == diverging(2.0, 2) == ""


@given(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)))
def test_times_fit_their_column(ratio):
    assert len(fmt.times(ratio)) <= 9
    if ratio is not None and 0 <= ratio < 1e99:
        assert len(fmt.times(ratio)) <= 7


def test_a_picture_of_a_thousand_alternatives_takes_a_blink():
    many = replace(sample_whatif.LLAMA, alternatives=sample_whatif.alternatives(4.98, 1500))
    made = desk(replace(sample_whatif.PAGE, subjects=(many,)), (200, 60))
    began = time.process_time()
    for _ in range(20):
        made.move(1)
        made.paint(200, 60)
    assert (time.process_time() - began) / 20 < 0.03


def test_growth_at_ones_own_shadow_price_is_never_called_an_api():
    scale = Scale(1.0, 2930.0, "local/llama-3-70b", 6.89, 2, 9.98, shadow=True)
    page = replace(sample_whatif.PAGE, subjects=(replace(sample_whatif.LLAMA, scale=(scale,)),))
    shown = text(desk(page), (140, 40))
    assert "shadow own GPUs" in " ".join(shown.split())
    assert "API $/h" not in shown
