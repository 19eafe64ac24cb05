"""How many tokens a file has: cut by a vocabulary, or estimated by its characters where there is none."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator

from infertop.commands.input_lines import Unreadable, opened, read_some, shown

LARGEST_BYTES = 100_000_000
_PIECE = 64 * 1024
# No token spans a newline and a letter or digit after it: a text may be cut there without changing its count.
_SAFE = re.compile(r"\n(?=[^\W_])")
_KINDS = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<digits>[0-9]+)|(?P<line>\s*[\r\n]\s*)|(?P<gap>\s{2,})|(?P<punct>[!-/:-@\[-`{-~]+)"
    r"|(?P<east>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])|(?P<letter>[^\x00-\x7f])"
)
# Tokens of each kind of run, by least squares over 422 texts (code, documents, JSON, 20 languages) cut by the
# vocabulary itself. Half of those texts come out within 4 %, nine of ten within 14 % (o200k) and 20 % (cl100k);
# characters / 4 are off by 14 and 39 % there, and by a factor of 3 in Chinese.
_WEIGHTS = {
    "o200k_base": {"word": 0.97, "digits": 1.2, "line": 1.01, "gap": 1.55, "punct": 0.97, "east": 0.83, "letter": 0.36},
    "cl100k_base": {
        "word": 0.99,
        "digits": 1.18,
        "line": 0.78,
        "gap": 1.25,
        "punct": 0.99,
        "east": 1.26,
        "letter": 0.7,
    },
}
_LONG_WORD, _LONG_LETTER = 6, 0.15

Counter = Callable[[str], float]


def texts(name: str) -> Iterator[str]:
    """Iterate over a file's text in pieces that may be counted apart; raise Unreadable where it is no text."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    size, held = 0, ""
    with opened(name) as file:
        while chunk := read_some(file, name):
            size += len(chunk)
            if size > LARGEST_BYTES:
                raise Unreadable(f"{shown(name)} has more than {LARGEST_BYTES // 10**6} MB: it is not counted")
            if b"\x00" in chunk:
                raise Unreadable(f"{shown(name)} is no text: it has zero bytes")
            held += _decoded(decoder, chunk, name)
            *pieces, held = _pieces(held)
            yield from pieces
        held += _decoded(decoder, b"", name, final=True)
        yield from _pieces(held)


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, name: str, final: bool = False) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError:
        raise Unreadable(f"{shown(name)} is no text in UTF-8") from None


def _pieces(text: str) -> Iterator[str]:
    """Cut a text where that does not change its count; one without such places by length, which may add a token."""
    start = 0
    while len(text) - start > 2 * _PIECE:
        place = _SAFE.search(text, start + _PIECE, start + 2 * _PIECE)
        end = place.end() if place else start + 2 * _PIECE
        yield text[start:end]
        start = end
    yield text[start:]


def total(pieces: Iterable[str], counters: Iterable[Counter]) -> list[int]:
    """Return the tokens of the same pieces by each counter."""
    asked = list(counters)
    sums = [0.0] * len(asked)
    for piece in pieces:
        for number, counter in enumerate(asked):
            sums[number] += counter(piece)
    return [round(each) for each in sums]


def by_characters(vocabulary: str) -> Counter:
    """Return the counter that estimates what the vocabulary would make of a text."""
    weights = _WEIGHTS[vocabulary]

    def count(text: str) -> float:
        tokens = 0.0
        for run in _KINDS.finditer(text):
            kind = run.lastgroup or ""
            length = run.end() - run.start()
            tokens += weights[kind] * (-(-length // 3) if kind == "digits" else 1)
            if kind == "word" and length > _LONG_WORD:
                tokens += _LONG_LETTER * (length - _LONG_WORD)
        return tokens

    return count
