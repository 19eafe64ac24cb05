import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.sample import HOSTILE_NAMES
from tui.widgets.cells import FILL, Line, Row, cells, cut, cut_words, fit, paste
from tui.widgets.prose import paragraph, wrapped

texts = st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE_NAMES))


def shown(text: str) -> str:
    return text.replace(FILL, "")


def whole(text: str) -> bool:
    """Whether every wide character has its filler, and no filler stands alone."""
    return cell_len(shown(text)) == len(text)


@given(texts)
def test_a_string_from_outside_has_one_character_a_cell_and_nothing_that_a_terminal_acts_on(text):
    made = cells(text)
    assert whole(made)
    assert all(ch.isprintable() for ch in shown(made))


@given(texts, st.integers(min_value=0, max_value=70))
def test_what_is_cut_fits_and_halves_no_wide_character(text, width):
    for made in (cut(cells(text), width), cut_words(cells(text), width), fit(text, width)):
        assert len(made) <= width
        assert whole(made)
    assert len(fit(text, width)) == width


@given(texts, st.integers(min_value=8, max_value=40))
def test_wrapping_loses_no_word(text, width):
    lines = wrapped(text, width)
    assert all(len(line) <= width and whole(line) for line in lines)
    assert "".join(lines).replace(" ", "") == cells(text).replace(" ", "")


@given(st.lists(st.tuples(st.integers(-10, 40), texts), max_size=6), st.integers(min_value=1, max_value=40))
def test_a_line_keeps_its_width_whatever_is_put_over_what(puts, width):
    line = Line(width)
    for x, text in puts:
        line.put(x, cells(text), "b")
    text, style = line.row()
    assert len(text) == len(style) == width
    assert whole(text)


def test_a_name_is_shortened_at_a_word_where_one_ends_near():
    assert cut_words(cells("0 H100 80GB HBM3"), 14) == "0 H100 80GB…"
    assert cut_words(cells("llama-3-70b-instruct"), 14) == "llama-3-70b-i…"
    assert cut_words(cells("short"), 14) == "short"


def test_markup_and_flags_are_shown_as_they_are_written():
    assert cells("[red]x[/]") == "[red]x[/]"
    assert shown(cells("a\x1b]52;c;x\x07")) == "a�]52;c;x�"
    assert shown(cells("🇩🇪")) == "��"


def test_pasting_replaces_cells_and_moves_none():
    rows = [Row("abcd", "    "), Row("efgh", "    ")]
    paste(rows, 1, 1, [Row("XY", "bb")])
    assert rows == [Row("abcd", "    "), Row("eXYh", " bb ")]


@given(texts, st.integers(min_value=1, max_value=80))
def test_a_paragraph_has_rows_of_the_width_asked_for(text, width):
    assert all(len(row.text) == width for row in paragraph(text, width))


@pytest.mark.parametrize("width", range(24, 60))
def test_a_number_in_groups_of_three_is_neither_broken_nor_cut(width):
    said = "prompt tokens per request on key prod-support 1 813 → 12 489 is 83 % of it; 4 of 10 cases"
    numbers = {"1 813", "12 489"}
    lines = wrapped(said, width)
    assert " ".join(lines) == said
    assert all(any(number in line for line in lines) for number in numbers)
    left = cut_words(said, width)
    assert not left.endswith(("1…", "12…", "1 8…", "1 81…", "12 4…", "12 48…"))
