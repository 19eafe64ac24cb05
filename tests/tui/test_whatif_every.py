"""The what-if page of the well-known models, and of all of them where they are asked for."""

import pytest

from tests.tui import sample_whatif
from tests.tui.drawn_whatif import SIZES, here, lines, short, text, type_in, words


@pytest.mark.parametrize("size", SIZES)
def test_it_opens_with_the_well_known_models_and_says_how_to_list_all(size):
    made = short(size=size)
    made.subject(1)
    title = next(line for line in lines(made, size) if line.startswith(" MODEL 1-"))
    assert " of 25, more with a " in title
    assert "▴$/h" in title
    assert "a all" in lines(made, size)[-1]
    made.move(100_000)
    assert "= now" in here(made)
    made.explain()
    assert "KEYS OF THE WHAT-IF PAGE ← → the traffic of the model before, of the next a list all models" in words(
        made, (80, 160)
    )
    assert "2 141 more models are listed: a shows those with a price" in words(made, (80, 160))


def test_a_lists_all_models_and_the_well_known_ones_again():
    made = short()
    made.move(3)
    made.every()
    assert "MODEL 1-7 of 402, fewer with a" in text(made)
    assert "model-003" in here(made)
    made.every()
    assert "of 25, more with a" in text(made)
    made.view_page(1)
    made.every()
    assert not made.choices.every


def test_while_all_models_are_being_listed_the_well_known_ones_stay():
    made = short()
    made.feed.every = None
    made.every()
    assert "of 25, listing all ..." in text(made)
    assert "model-000" in text(made)
    assert made.waiting
    made.feed.every = sample_whatif.PAGE
    made.tick()
    assert "of 402, fewer with a" in text(made)
    assert not made.waiting


def test_a_filter_is_one_over_all_models_whatever_is_listed():
    made = short()
    type_in(made, "model-399")
    assert "model-399" in here(made)
    assert "1 of 402" in text(made)
    made.typed("escape", None)
    assert "of 25, more with a" in text(made)
    type_in(made, "model-399")
    made.typed("enter", "\r")
    made.tick()
    assert "model-399" in here(made)
    made.back()
    assert "of 25, more with a" in text(made)


def test_a_filter_waits_for_all_models_before_it_says_that_there_is_none():
    made = short()
    made.feed.every = None
    type_in(made, "model-399")
    assert "listing all models ..." in text(made)
    made.feed.every = sample_whatif.PAGE
    made.tick()
    assert "model-399" in here(made)


def test_all_models_are_asked_for_only_where_they_are_wanted():
    made = short()
    made.tick()
    made.whatif()
    made.filter()
    made.typed("x", "x")
    assert not any(made.feed.every_asked)
