"""One reading as text: fit for a pipe, whatever the views hold."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from hypothesis import given, settings

from infertop.views.overview import overview
from infertop.views.plain import plain
from infertop.views.shapes import Event, Overview
from tests.tui import sample
from tests.views.random_views import HOSTILE, views
from tests.views.test_costs import SHARED, lived
from tests.views.world import World


@settings(deadline=None, max_examples=80)
@given(views)
def test_nothing_but_text_and_line_ends_comes_out(view: Overview) -> None:
    text = plain(view)
    assert text.endswith("\n")
    for character in text.replace("\n", ""):
        assert unicodedata.category(character)[0] != "C"
    assert "nan" not in _figures(text)
    assert "inf" not in _figures(text)


def _figures(text: str) -> list[str]:
    return text.replace("%", " ").replace("s ", " ").split()


def test_a_line_for_each_row_and_unknown_is_a_dash() -> None:
    lines = plain(overview(lived({**SHARED, "book": 0}, 30).facts())).splitlines()
    assert lines[0] == "infertop  box"
    assert lines[1].startswith("$/hour ")
    assert "api -" in lines[1]
    assert any(line.startswith("m0") and "vllm@127.0.0.1:8000" in line for line in lines)
    assert sum("pricing.toml:2" in line for line in lines) == 5
    assert any(line.startswith("triton@127.0.0.1:8002") or "(unknown)" in line for line in lines)


def test_nothing_known_is_said_in_two_lines() -> None:
    assert plain(overview(World().facts())).count("\n") == 2


def test_hostile_names_are_shown_literally() -> None:
    view = replace(sample.RICH, models=tuple(replace(sample.RICH.models[0], model=name) for name in HOSTILE))
    text = plain(view)
    assert "[red]x[/]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_demo_says_so_and_notices_are_at_the_end() -> None:
    view = replace(sample.RICH, mode="demo", notices=("one", "two\x1b[2J"))
    lines = plain(view).splitlines()
    assert "DEMO" in lines[0]
    assert lines[-2] == "! one"
    assert lines[-1].startswith("! two")


def test_incidents_that_last_are_said_with_their_cause() -> None:
    mark = Event(60.0, "warn", "mark", "marked", {"model": "a"}, "usd_per_hour", 9.1, 3.0)
    lasting = replace(mark, kind="incident", text="a: 3.0x: $9.10/h", cause="prompts\x1b[2J are longer", state="open")
    over = replace(lasting, text="gone", until=90.0, state="closed")
    said = plain(replace(sample.EMPTY, events=(mark, over, lasting)))
    assert "! a: 3.0x: $9.10/h: prompts" in said
    assert "marked" not in said
    assert "gone" not in said
    assert "\x1b" not in said
