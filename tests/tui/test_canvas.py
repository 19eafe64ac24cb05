from hypothesis import given
from hypothesis import strategies as st

from tests.tui.sample import HOSTILE_NAMES
from tui.widgets.canvas import changed, runs
from tui.widgets.cells import FILL, Line, Row, cells

texts = st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE_NAMES))
puts = st.lists(st.tuples(st.integers(0, 38), texts, st.sampled_from("bdw 1")), max_size=5)


def row(parts) -> Row:
    line = Line(40)
    for x, text, style in parts:
        line.put(x, cells(text), style)
    return line.row()


@given(puts, puts)
def test_repainting_the_changed_runs_makes_the_new_row(before, after):
    old, new = row(before), row(after)
    text, style = list(old.text), list(old.style)
    for start, end in changed(old, new):
        assert FILL not in (new.text[start], old.text[start])
        assert end == 40 or FILL not in (new.text[end], old.text[end])
        text[start:end], style[start:end] = new.text[start:end], new.style[start:end]
    assert Row("".join(text), "".join(style)) == new


def test_what_did_not_change_is_not_sent_and_near_changes_are_sent_as_one():
    old = Row("abcdefghijklmnopqrstuvwxyz", " " * 26)
    assert list(changed(old, old)) == []
    assert list(changed(old, Row("Xbcdefghijklmnopqrstuvwxyz", old.style))) == [(0, 1)]
    assert list(changed(old, Row("XbcdXfghijklmnopqrstuvwxyX", old.style))) == [(0, 5), (25, 26)]
    assert list(changed(old, Row(old.text, "b" + " " * 25))) == [(0, 1)]


@given(puts)
def test_runs_are_the_row_in_stretches_of_one_style(parts):
    made = row(parts)
    stretches = list(runs(made))
    assert "".join(text for text, _ in stretches) == made.text
    assert "".join(letter * len(text) for text, letter in stretches) == made.style
