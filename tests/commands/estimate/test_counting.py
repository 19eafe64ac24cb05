"""Tokens of texts: by kinds of characters, and of long files in pieces."""

from itertools import pairwise

import pytest
import regex
import tiktoken_ext.openai_public
from hypothesis import given
from hypothesis import strategies as st

from infertop.commands import token_count
from infertop.commands.token_count import by_characters, total

# Texts, and what o200k_base and cl100k_base make of them.
COUNTED = {
    "English": (
        "The number is the product. When this is done, infertop prices any usage record, GPU and deployment as exactly "
        "as the best pricing libraries, shows where each price is from, and divides the cost of shared hardware so that"
        " the parts sum to the whole.",
        (52, 53),
    ),
    "Python": (
        "def total(pieces, counters):\n    asked = list(counters)\n    sums = [0.0] * len(asked)\n    for piece in "
        "pieces:\n        for number, counter in enumerate(asked):\n            sums[number] += counter(piece)\n    "
        "return [round(each) for each in sums]\n",
        (62, 64),
    ),
    "JSON": (
        '{"id": "o00764", "provider": "cohere", "model": "command-a-03-2025", "at": "2026-11-21T14:05:42+00:00", '
        '"tokens": {"input": 29722, "cache_read": 0, "cache_write_5m": 0, "output": 28}}',
        (81, 81),
    ),
    "Chinese": (
        "推理的成本由输入和输出的词元数量决定。缓存命中的提示词更便宜，而推理词元通常按照输出价格计费。"
        "我们希望每一个数字都能说明它的来源和时间。",
        (48, 67),
    ),
    "German": (
        "Die Kosten einer Anfrage hängen davon ab, wie viele Token sie liest und schreibt; zwischengespeicherte sind "
        "günstiger, und Überlegungen zählen wie Ausgaben.",
        (35, 44),
    ),
}


@pytest.mark.parametrize(("text", "tokens"), COUNTED.values(), ids=COUNTED)
def test_without_a_vocabulary_the_kinds_of_characters_say_how_many_tokens_it_is(text, tokens):
    for name, real in zip(("o200k_base", "cl100k_base"), tokens, strict=True):
        assert by_characters(name)(text) == pytest.approx(real, rel=0.25)


PATTERNS = {name: getattr(tiktoken_ext.openai_public, name) for name in ("o200k_base", "cl100k_base")}
pieces_of_text = st.lists(
    st.sampled_from(["\n", " ", "\r\n", "/", "a", "B", "9", ".", "'s", "é", "推", "\t", "\n\n", "x\u0301"])
)


@pytest.mark.parametrize("name", PATTERNS)
@given(parts=pieces_of_text)
def test_cutting_a_file_at_safe_places_changes_no_count(name, parts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", lambda *_, **__: {})
        pattern = regex.compile(PATTERNS[name]()["pat_str"])
        text = "".join(parts)
        ends = [0, *(match.end() for match in token_count._SAFE.finditer(text)), len(text)]
        cut = [text[start:end] for start, end in pairwise(ends)]
    assert [each for piece in cut for each in pattern.findall(piece)] == pattern.findall(text)


@given(st.text(), st.integers(1, 8))
def test_pieces_are_the_whole_text_and_none_is_long(text, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_count, "_PIECE", size)
        pieces = list(token_count._pieces(text))
    assert "".join(pieces) == text
    assert all(len(piece) <= 2 * size for piece in pieces)


def test_one_reading_serves_every_counter():
    assert total(iter(["ab", "c"]), [len, lambda text: 2 * len(text)]) == [3, 6]
