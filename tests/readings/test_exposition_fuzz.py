"""Broken pages: they never raise, never hang, and the cache never changes what is read."""

import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.readings.exposition import Exposition
from tests.readings.reference import alone, said
from tests.recordings import PAYLOADS

PIECES = [bytes([each]) for each in b'\n\r\t\0\xff {}"\\,=#_1e'] + [b"\r\n", b" # {", b"nan", b"# TYPE "]
WANTED = ["vllm:prompt_tokens", "vllm:time_to_first_token_seconds", "nv_inference_count", "sglang:num_running_reqs"]


def head(path: Path, lines: int = 60) -> bytes:
    return b"\n".join(path.read_bytes().split(b"\n")[:lines]) + b"\n"


def mutate(page: bytes, dice: random.Random) -> bytes:
    """Change the page in one place: bytes, a line, or where it ends."""
    at, to = sorted((dice.randrange(len(page) + 1), dice.randrange(len(page) + 1)))
    lines = page.split(b"\n")
    row, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    match dice.randrange(8):
        case 0:
            return page[:at] + dice.choice(PIECES) + page[at:]
        case 1:
            return page[:at] + dice.choice(PIECES) + page[at + 1 :]
        case 2:
            return page[:at] + page[min(to, at + 20) :]
        case 3:
            lines[row], lines[other] = lines[other], lines[row]
        case 4:
            lines.insert(row, lines[other])
        case 5:
            del lines[row]
        case 6:
            words = re.split(rb"([ {}\"=,])", lines[row])
            words[dice.randrange(len(words))] = dice.choice(PIECES)
            lines[row] = b"".join(words)
        case _:
            return re.sub(rb" [0-9.]+\n", lambda _: b" %d\n" % dice.randrange(10**6), page, count=dice.randrange(1, 50))
    return b"\n".join(lines)


@pytest.mark.parametrize("wanted", [None, WANTED], ids=["everything", "some families"])
@pytest.mark.parametrize("name", ["vllm/0.33.0.txt", "triton/2.51.0_last.txt", "sglang/0.5.23_synthetic.txt"])
def test_cache_never_changes_what_a_mutated_page_says(name, wanted):
    dice = random.Random(7)
    page = original = head(PAYLOADS / name)
    reader = Exposition(wanted)
    for _ in range(400):
        page = original if dice.randrange(8) == 0 or not page else mutate(page, dice)
        assert said(reader.parse(page)) == said(alone(wanted).parse(page))


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_without_an_error(page):
    reader = Exposition(None)
    first, second = reader.parse(page), reader.parse(page)
    assert said(first) == said(second)
    assert first.layout is second.layout
    assert len(first.values) + first.rejected <= page.count(b"\n") + 1


LONG = 10**6


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(b'a{x="' + b"y" * LONG + b'"} 1', id="a long label"),
        pytest.param(b'a{x="' + b"\\n" * LONG + b'"} 1', id="a label of escapes"),
        pytest.param(b'a{x="' + b"\\" * LONG, id="a label that never ends"),
        pytest.param(b"a{" + b" " * LONG, id="labels that never end"),
        pytest.param(b"a" + b"{" * LONG, id="braces"),
        pytest.param(b"a{" + b'x="",' * LONG, id="the same label again and again"),
        pytest.param(b" " * LONG + b"#" + b" " * LONG, id="blanks"),
        pytest.param(b"# TYPE" + b" " * LONG, id="a type of blanks"),
        pytest.param(b"a" * LONG, id="a long name"),
        pytest.param(b"a " + b"1" * LONG, id="a long number"),
        pytest.param(b"a " + b"1 " * LONG, id="many numbers"),
        pytest.param(b"\n" * LONG, id="empty lines"),
        pytest.param(b"#\n" * LONG, id="comments"),
        pytest.param(b"a 1\n" * (LONG // 4), id="one series again and again"),
    ],
)
def test_page_made_to_be_slow_is_read_in_linear_time(page):
    began = time.process_time()
    reader = Exposition(None)
    reader.parse(page)
    reader.parse(page)
    assert time.process_time() - began < 5


def test_million_series_are_read_to_the_limit():
    page = b"".join(b'a{x="%d"} 1\n' % n for n in range(LONG))
    read = Exposition(None).parse(page)
    assert len(read.values) == 50_000
    assert read.rejected == LONG - 50_000
