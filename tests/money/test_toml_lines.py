from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.toml_lines import Path, key_lines, line_of


def numbered(text: str) -> dict[Path, int]:
    tomllib.loads(text)
    return key_lines(text)


def test_plain_keys_and_tables() -> None:
    lines = numbered('a = 1\n\n# comment\n[t]\nb = "x" # [no]\n[t.u]\nc = 2\n')
    assert lines == {("a",): 1, ("t",): 4, ("t", "b"): 5, ("t", "u"): 6, ("t", "u", "c"): 7}


def test_arrays_of_tables_count_from_0_and_their_tables_belong_to_the_newest() -> None:
    lines = numbered("[[b]]\nx = 1\n[b.t]\ny = 1\n[[b]]\nx = 2\n[b.t]\ny = 2\n[[b.c]]\nz = 1\n[[b.c]]\nz = 2\n")
    assert lines["b", 0, "x"] == 2
    assert lines["b", 0, "t", "y"] == 4
    assert lines["b", 1] == 5
    assert lines["b", 1, "t", "y"] == 8
    assert lines["b", 1, "c", 1, "z"] == 12


def test_quoted_keys_may_hold_dots_brackets_and_escapes() -> None:
    lines = numbered('[gpu."A.B [x] # y"]\n\'c.d\' = 1\n"e\\"f" . g = 2\n')
    assert lines["gpu", "A.B [x] # y"] == 1
    assert lines["gpu", "A.B [x] # y", "c.d"] == 2
    assert lines["gpu", "A.B [x] # y", 'e"f', "g"] == 3


def test_inline_tables_and_arrays_over_many_lines() -> None:
    lines = numbered('a = [\n  1, # one ]\n  { b = "}", c.d = [2,\n 3] },\n]\nz = 1\n')
    assert lines["a", 0] == 2
    assert lines["a", 1, "c", "d", 0] == 3
    assert lines["a", 1, "c", "d", 1] == 4
    assert lines["z",] == 6


def test_strings_over_many_lines_hide_what_is_in_them() -> None:
    text = 'a = """\n[no]\nx = 1\\"""\n"" """""\nb = \'\'\'\ny = 2\n\'\' \'\'\'\'\nc = 3\n'
    assert numbered(text) == {("a",): 1, ("b",): 5, ("c",): 8}


def test_lines_end_with_a_carriage_return_too() -> None:
    assert numbered("a = 1\r\n[t]\r\nb = 2\r\n") == {("a",): 1, ("t",): 2, ("t", "b"): 3}


def test_what_has_no_line_has_that_of_what_contains_it() -> None:
    lines = key_lines("\n[[b]]\nx = 1\n")
    assert line_of(lines, ("b", 0, "missing")) == 2
    assert line_of(lines, ("nowhere",)) == 1


NAMES = st.text("ab.\"'#[]=\\ \té", min_size=1, max_size=4)
SCALARS = st.one_of(
    st.integers(-5, 5).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.sampled_from(["1.5", "2026-11-22", "22:00:00", '"# ]"', "'}'", '"""a\n\n[x]\n"""', "'''\nb = 1'''", "[]", "{}"]),
)


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[Path, int]]:
    """A TOML text, and the line of every key in it, noted as it was written."""
    rows: list[str] = []
    where: dict[Path, int] = {}

    def line() -> int:
        return "\n".join([*rows, ""]).count("\n") + 1

    def pairs(path: Path) -> None:
        for name in draw(st.lists(NAMES, max_size=3, unique=True)):
            rows.extend(draw(st.lists(st.sampled_from(["", "# [c]", "  "]), max_size=2)))
            where[*path, name] = line()
            value = draw(SCALARS)
            if draw(st.booleans()):
                where[*path, name, 0] = where[*path, name] + 1
                value = f"[\n{value}\n, # x\n]"
            rows.append(f"{quoted(name)} = {value}")

    pairs(())
    for index, name in enumerate(draw(st.lists(NAMES, max_size=4))):
        table = f"t{index}{name}"
        many = draw(st.integers(0, 2))
        for count in range(max(1, many)):
            path: Path = (table, count) if many else (table,)
            where[path] = line()
            rows.append(f"[[{quoted(table)}]]" if many else f"[ {quoted(table)} ] # x")
            pairs(path)
    return "\n".join(rows), where


@given(documents())
@settings(max_examples=300, deadline=None)
def test_every_key_of_any_text_has_its_line(document: tuple[str, dict[Path, int]]) -> None:
    text, where = document
    tomllib.loads(text)
    lines = key_lines(text)
    assert {path: lines.get(path) for path in where} == where


@given(documents(), st.text("\"'[]{}=.,# \n\\ab1", max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_path_that_tomllib_gives_always_has_a_line(document: tuple[str, Any], tail: str) -> None:
    text = document[0] + "\n" + tail
    lines = key_lines(text)  # never raises, whatever the text
    try:
        raw = tomllib.loads(text)
    except ValueError:
        return
    assert all((key,) in lines for key in raw)
