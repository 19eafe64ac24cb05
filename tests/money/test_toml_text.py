from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.toml_text import LONGEST_NAME, heading, quoted

HOSTILE = (
    'a"b',
    "a\\b",
    'x"]\ninput = 0\n[model."y',
    "\x1b]52;c;x\x07",
    "\u202egpt",
    "tab\there",
    "\U000e0001",
    "",
    "'",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_that_name_again_when_it_is_read(name: str) -> None:
    text = heading("model", name)
    assert text.isprintable()
    assert tomllib.loads(f"{text}\ninput = 1\n") == {"model": {name: {"input": 1}}}


@given(st.text(st.characters(exclude_categories=[]), max_size=300))
def test_any_name_is_one_printable_line_of_toml(name: str) -> None:
    text = quoted(name)
    assert text.isprintable()
    (read,) = tomllib.loads(f"[model.{text}]")["model"]
    if len(name) <= LONGEST_NAME and not any(0xD800 <= ord(char) <= 0xDFFF for char in name):
        assert read == name
    assert len(read) <= LONGEST_NAME
