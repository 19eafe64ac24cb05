"""Making text from outside fit for a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.readings.safe import REPLACEMENT, safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("llama-3-70b", "llama-3-70b"),
        ("Qwen/Qwen3-30B-A3B[on]", "Qwen/Qwen3-30B-A3B[on]"),
        ("模型 7B · ü", "模型 7B · ü"),
        ("\x1b]52;c;SEFDSw==\x07", f"{REPLACEMENT}]52;c;SEFDSw=={REPLACEMENT}"),
        ("\x9b2J", f"{REPLACEMENT}2J"),
        ("a\u202eb\u2066c", f"a{REPLACEMENT}b{REPLACEMENT}c"),
        ("a\u200bb\ufeff", f"a{REPLACEMENT}b{REPLACEMENT}"),
        ("two\nlines\ttab\r\x7f", f"two{REPLACEMENT}lines{REPLACEMENT}tab{REPLACEMENT}{REPLACEMENT}"),
        ("\u2028\u2029", REPLACEMENT * 2),
        ("\ud800", REPLACEMENT),
        ("\ue000", REPLACEMENT),
        ("u\u0308", "ü"),
        ("", ""),
    ],
)
def test_what_does_not_print_is_replaced_and_the_rest_is_kept(text, shown):
    assert safe(text) == shown


def test_anything_can_be_made_safe():
    assert safe(None) == "None"
    assert safe(3.5) == "3.5"
    assert safe(ValueError("a\x1bb")) == f"a{REPLACEMENT}b"


def test_long_text_is_cut_and_says_so():
    assert safe("abcdef", 6) == "abcdef"
    assert safe("abcdefg", 6) == "abcde…"
    assert safe("a" * 10_000_000, 6) == "aaaaa…"


def test_text_that_shrinks_by_composition_is_not_cut():
    assert safe("u\u0308" * 6, 6) == "ü" * 6


@given(st.text(st.characters(), max_size=50), st.integers(1, 30))
def test_nothing_but_printable_text_within_the_limit_comes_out(text, limit):
    shown = safe(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    assert unicodedata.is_normalized("NFC", shown)


@given(st.text(st.characters(), max_size=50))
def test_making_it_safe_twice_changes_nothing_more(text):
    assert safe(safe(text)) == safe(text)
