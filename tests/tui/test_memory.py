"""What the screen remembers between runs, and what it makes of a file that somebody broke."""

import json
import os
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui import sample
from tests.tui.play import PlayFeed
from tui.choices import Choices
from tui.desk import Desk
from tui.look import Look
from tui.memory import keep, recall

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["models", "gpus", "x"]), inner),
    max_leaves=8,
)


def recalled(path) -> Choices:
    choices = Choices()
    recall(path, choices)
    return choices


def test_sorting_grouping_window_and_span_are_there_again(tmp_path):
    made = Desk(PlayFeed(), Look())
    made.paint(80, 24)
    made.sort()
    made.group()
    made.window()
    made.whatif()
    made.window()
    place = tmp_path / "state" / "screen.json"
    keep(place, made.choices)
    feed = PlayFeed(sample.RICH)
    again = Desk(feed, Look(), recalled(place))
    assert feed.windows == [900.0]
    assert (again.choices.sorts, again.choices.group, again.choices.span) == ({"models": 1}, 1, 86_400.0)
    assert again.choices.panel == "models"
    assert "▾tok/s" in "\n".join(row.text for row in again.paint(80, 24))


def test_nobody_else_can_read_it_and_nothing_else_is_left(tmp_path):
    place = tmp_path / "state" / "screen.json"
    keep(place, Choices())
    assert place.stat().st_mode & 0o777 == 0o600
    assert os.listdir(place.parent) == ["screen.json"]


def test_where_it_cannot_be_kept_nothing_happens(tmp_path):
    (tmp_path / "file").write_text("in the way")
    keep(tmp_path / "file" / "screen.json", Choices())
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 4000, b'{"window": 1e999}', b'{"sorts": {"models": true}}'],
)
def test_a_broken_file_is_as_none(tmp_path, content):
    place = tmp_path / "screen.json"
    place.write_bytes(content)
    assert asdict(recalled(place)) == asdict(Choices())


def test_a_pipe_in_its_place_does_not_hold_up_the_start(tmp_path):
    os.mkfifo(tmp_path / "screen.json")
    assert asdict(recalled(tmp_path / "screen.json")) == asdict(Choices())


@given(st.dictionaries(st.sampled_from(["sorts", "group", "window", "span", "panel", "filters"]), anything))
def test_whatever_stands_in_it_makes_choices_that_can_be_drawn(tmp_path_factory, content):
    place = tmp_path_factory.mktemp("state") / "screen.json"
    place.write_text(json.dumps(content))
    made = Desk(PlayFeed(), Look(), recalled(place))
    assert len(made.paint(80, 24)) == 24
    made.whatif()
    assert len(made.paint(80, 24)) == 24
