"""Comparing two windows: which they are, of what, and how they are moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.views.event_shapes import Change, Comparison, Effect
from infertop.views.shapes import Overview
from tests.tui import sample, sample_incidents
from tests.tui.play import PlayFeed
from tui.choices import Choices
from tui.desk import Desk
from tui.look import Look
from tui.memory import keep, recall
from tui.screens.overview import VIEWS
from tui.terminal import shades
from tui.themes import Shades
from tui.widgets.cells import FILL
from tui.windows import PRESETS, Windows

AT, HOUR = sample.AT, 3600.0
SMALL = (80, 24)
HOUR_BEFORE = ((AT - 2 * HOUR, AT - HOUR), (AT - HOUR, AT))
LLAMA = {"model": "llama-3-70b", "source": "vllm@127.0.0.1:8000"}


def desk(
    made: Comparison | None = sample_incidents.EVERYTHING,
    size: tuple[int, int] = SMALL,
    view: Overview = sample_incidents.VIEW,
    **look: object,
) -> Desk:
    feed = PlayFeed(view)
    feed.compared = made
    opened = Desk(feed, Look(**({"shades": shades(color=False)} | look)))
    opened.paint(*size)
    opened.compare()
    opened.paint(*size)
    return opened


def text(made: Desk, size: tuple[int, int] = SMALL) -> str:
    return "\n".join(row.text for row in made.paint(*size))


def asked(made: Desk) -> tuple[dict[str, str], tuple[float, float], tuple[float, float]]:
    assert isinstance(made.feed, PlayFeed)
    return made.feed.asked[-1]


def test_c_compares_everything_in_the_last_hour_with_the_hour_before() -> None:
    made = desk()
    assert asked(made) == ({}, *HOUR_BEFORE)
    shown = text(made)
    for words in (
        "compare › everything",
        "the last hour, the hour before",
        "›before 02:30-03:30 (1 h) 12.80/h",
        "›after  03:30-04:30 (1 h) 15.47/h   +2.67/h  1.21x",
        "2.6x: prompt tokens per request on gpt-4o 1 900",
        "prompt tokens per request",
        "GPU utilisation",
        "BY MODEL",
        "! 5 % of the tokens before",
    ):
        assert words in shown, words
    made.compare()
    assert made.page is VIEWS[0]


def test_g_compares_what_the_cursor_was_on_and_everything_again() -> None:
    made = desk()
    assert "g of llama-3-70b alone" in text(made)
    made.whose()
    assert asked(made)[0] == LLAMA
    assert "compare › model llama-3-70b › source vllm:8000" in text(made, (120, 30))
    made.whose()
    assert asked(made)[0] == {}


def test_from_the_page_of_a_model_it_is_that_model() -> None:
    made = Desk(PlayFeed(), Look())
    made.paint(*SMALL)
    made.open()
    made.paint(*SMALL)
    made.compare()
    assert asked(made)[0] == LLAMA
    made.back()
    assert made.page.name == "model"


def test_from_a_source_it_is_that_source_and_from_a_part_of_an_account_that_part() -> None:
    made = Desk(PlayFeed(), Look())
    made.view_page(5)
    made.paint(*SMALL)
    made.compare()
    made.whose()
    assert set(asked(made)[0]) == {"source"}
    made.view_page(9)
    made.paint(*SMALL)
    made.open()
    made.paint(*SMALL)
    made.compare()
    made.whose()
    assert asked(made)[0] == {"source": "openai", "model": "gpt-4.1"}


def test_from_an_incident_it_is_what_that_is_about_in_the_windows_of_its_cause() -> None:
    made = Desk(PlayFeed(sample_incidents.VIEW), Look())
    made.view_page(6)
    made.paint(*SMALL)
    made.compare()
    why = sample_incidents.WHY
    assert asked(made) == ({"model": "gpt-4o"}, why.before, why.after)
    assert "the incident, and what it is compared with" in text(made)
    made.shift(1)
    assert "windows of your own" in text(made)
    made.preset()
    assert asked(made)[1:] == HOUR_BEFORE


def test_of_an_incident_without_a_cause_the_time_before_it_is_compared() -> None:
    made = Desk(PlayFeed(replace(sample_incidents.VIEW, events=(sample_incidents.SLOW,))), Look())
    made.view_page(6)
    made.paint(*SMALL)
    made.open()
    made.compare()
    assert asked(made)[1:] == ((AT - 1200, AT - 600), (AT - 600, AT))
    made.back()
    assert made.page.name == "incident"


def test_enter_goes_into_who_changed_and_esc_comes_back() -> None:
    made = desk()
    made.choices.panel = "changes"
    made.paint(*SMALL)
    made.open()
    assert asked(made)[0] == {"model": "gpt-4o"}
    assert "compare › model gpt-4o" in text(made)
    made.open()
    assert made.choices.message == "there is nothing more to divide it by"
    made.back()
    assert asked(made)[0] == {}
    made.back()
    assert made.page is VIEWS[0]


def test_what_has_no_name_is_not_entered() -> None:
    nobody = replace(sample_incidents.EVERYTHING, by="key", changes=(Change("(none)", 1.0, 2.0),))
    made = desk(nobody)
    made.choices.panel = "changes"
    made.paint(*SMALL)
    made.open()
    assert asked(made)[0] == {}
    assert made.choices.message == "there is nothing more to divide it by"


def test_enter_on_who_changed_of_an_incident_compares_its_windows() -> None:
    made = Desk(PlayFeed(sample_incidents.VIEW), Look())
    made.view_page(6)
    made.paint(*SMALL)
    made.open()
    made.paint(*SMALL)
    made.choices.panel = "changes"
    made.paint(*SMALL)
    made.open()
    assert asked(made)[0] == {"model": "gpt-4o", "key": "prod-support"}
    assert asked(made)[2] == sample_incidents.WHY.after


def test_enter_on_an_effect_explains_it() -> None:
    made = desk()
    made.open()
    assert made.page.name == "explain"
    assert "prompt tokens per request" in text(made)


def test_keys_move_both_windows_or_one_and_none_beyond_now() -> None:
    made = desk()
    made.shift(-1)
    assert asked(made)[1:] == ((AT - 2.25 * HOUR, AT - 1.25 * HOUR), (AT - 1.25 * HOUR, AT - 0.25 * HOUR))
    made.side(1)
    assert "›before" in text(made)
    assert "›after" not in text(made)
    made.shift(-4)
    assert asked(made)[1:] == ((AT - 3.25 * HOUR, AT - 2.25 * HOUR), (AT - 1.25 * HOUR, AT - 0.25 * HOUR))
    made.side(1)
    made.shift(1000)
    assert asked(made)[2] == (AT - HOUR, AT)


def test_plus_and_minus_widen_and_narrow_up_to_where_the_windows_end() -> None:
    made = desk()
    made.widen(1)
    assert asked(made)[1:] == ((AT - 3 * HOUR, AT - HOUR), (AT - 2 * HOUR, AT))
    assert made.choices.message == "2 h"
    made.widen(-1)
    made.side(-1)
    made.widen(-1)
    assert asked(made)[1:] == ((AT - 2 * HOUR, AT - HOUR), (AT - HOUR / 2, AT))
    assert made.choices.message == "1 h and 30 min"


def test_t_goes_round_the_presets_and_back_from_windows_of_ones_own() -> None:
    made = desk()
    seen = []
    for _ in PRESETS:
        made.preset()
        seen.append(next(words for words in PRESETS if words in text(made)))
    assert seen == [*PRESETS[1:], PRESETS[0]]
    made.shift(-1)
    made.preset()
    assert asked(made)[1:] == HOUR_BEFORE


def test_the_last_comparison_stays_while_the_clock_goes_on_and_goes_with_other_windows() -> None:
    made = desk()
    assert isinstance(made.feed, PlayFeed)
    made.feed.compared = None
    made.feed.view = replace(made.feed.view, at=AT + 60)
    made.tick()
    assert "15.47/h" in text(made)
    assert not made.waiting
    made.shift(-1)
    assert made.waiting
    assert "comparing ..." in text(made)
    assert "15.47/h" not in text(made)


def test_where_nothing_was_used_it_says_so() -> None:
    nothing = Comparison({}, *HOUR_BEFORE, None, None, sentence="nothing with a price was used in either window")
    assert "nothing with a price was used" in text(desk(nothing))


def test_which_windows_is_remembered(tmp_path) -> None:
    made = desk()
    made.preset()
    keep(tmp_path / "screen.json", made.choices)
    again = Choices()
    recall(tmp_path / "screen.json", again)
    assert again.windows == Windows(1)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("size", [SMALL, (140, 40), (200, 60), (40, 12), (20, 5), (3, 2), (1, 1)])
def test_it_fits_every_terminal_and_names_do_no_harm(size: tuple[int, int], plain: bool) -> None:
    look = {"shades": Shades.BARE, "ascii": True} if plain else {}
    for compared in (sample_incidents.EVERYTHING, *sample_incidents.HOSTILE_WHYS, None):
        made = desk(compared, size, sample_incidents.HOSTILE, **look)
        rows = [made.look.finish(row) for row in made.paint(*size)]
        assert [len(row.text) for row in rows] == [size[0]] * size[1]
        assert not [c for row in rows for c in row.text.replace(FILL, "") if not c.isprintable()]


def test_a_question_mark_tells_what_an_effect_is_and_how_a_name_changed() -> None:
    made = desk()
    made.explain()
    shown = " ".join(text(made, (120, 40)).split())
    assert "what $/h changed by because this did, all else being as it was on average: +1.35" in shown
    assert "1 900 before, 4 200 after (tokens/request)" in shown
    assert "x = prompt tokens, cached ones included / requests of the same client and model" in shown
    assert "they sum to the change, to the last 1e-9 $" in shown
    assert "month 6 240" not in shown
    made.back()
    made.choices.panel = "changes"
    made.paint(*SMALL)
    made.explain()
    assert "= 4.31/h after - 1.66/h before" in text(made, (120, 40))


def test_what_rounding_leaves_is_nothing() -> None:
    tiny = replace(
        sample_incidents.EVERYTHING,
        before_usd_per_hour=16.24,
        after_usd_per_hour=16.24 + 1e-9,
        effects=(replace(sample_incidents.WHY.effects[0], usd_per_hour=1e-9),),
    )
    (row,) = (line for line in text(desk(tiny)).splitlines() if "total" in line)
    assert row.split() == ["total", "0.00", "-"]


def test_what_the_sentence_tells_as_one_has_a_row_with_the_same_figure() -> None:
    effects = (
        Effect("volume", 2.495, "", 13_413.0, 16_173.0, "requests/h"),
        Effect("mix", -0.861, "gpt-4o", 0.42, 0.37, "ratio"),
        Effect("prompt_tokens", 0.126, "gpt-4o", 540.0, 547.0, "tokens/request"),
    )
    said = "1.1x: requests 13,413 -> 16,173/h with share of models is 93 % of it; +$1.63/h of +$1.76/h"
    bare = replace(sample_incidents.EVERYTHING, effects=effects, before_usd_per_hour=17.21, after_usd_per_hour=18.97)
    shown = text(desk(replace(bare, together=("volume", "mix"), sentence=said), (140, 40)), (140, 40))
    (row,) = [line for line in shown.splitlines() if "requests + share of models" in line]
    assert row.split()[-3:] == ["+1.63", "93", "%"]
    assert "requests + share of models" not in text(desk(bare, (140, 40)), (140, 40))
