"""Keys: the footer shows those that do something, the page of help all of them."""

import pytest

from tests.tui.drawn import desk, text
from tui.keys import KEYS, footer
from tui.panels.explained import key_list
from tui.themes import Shades

TOPICS = {"what-if", "events", "compare", "replay"}


def test_help_explains_the_row_under_the_cursor_and_lists_every_key():
    made = desk()
    made.explain()
    screen = text(made, 140, 70)
    assert "= $4.98/h x 300.2 s / 3600 / 1 021 requests finished" in screen
    assert "the usual $/h of each hour of the week" in screen
    assert "KEYS OF EVENTS AND INCIDENTS" in screen


@pytest.mark.parametrize("width", [60, 80, 119, 120, 140, 200])
def test_the_list_of_keys_has_every_word_of_every_key_in_as_many_columns_as_fit(width):
    rows = [row.text for row in key_list(width, ascii=False)]
    assert all(len(row) == width for row in rows)
    words = {word.strip(":") for row in rows for word in row.split()}
    unsaid = {word.strip(":") for key in KEYS for word in key.help.split()} - words
    assert unsaid <= TOPICS


def test_the_list_of_keys_fits_a_screen_of_140x40_in_two_columns():
    assert len(key_list(140, ascii=False)) < 38 < len(key_list(80, ascii=False))


def test_a_recording_is_only_looked_at_and_has_no_keys_that_change_it():
    live, replayed = (footer("events", 140, mode=mode).text for mode in ("live", "replay"))
    assert "a ack" in live
    assert "P planned" in live
    assert "a ack" not in replayed
    assert "P planned" not in replayed
    assert "[ ] hour" in replayed


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


def test_the_keys_of_the_page_that_help_was_asked_on_come_first() -> None:
    for page, title in (("compare", "KEYS OF THE COMPARISON"), ("whatif", "KEYS OF THE WHAT-IF PAGE")):
        assert title in key_list(120, False, page)[0].text
        assert len(key_list(120, False, page)) == len(key_list(120, False))
    for page in ("overview", "", "first"):
        assert "MARKS" in key_list(120, False, page)[0].text
