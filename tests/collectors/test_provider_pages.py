"""Pages are read to their end, never for ever, and what is no page is a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from collectors._provider_pages import MOST_PAGES, Cursor, document, paged
from infertop.engine.collector import Unavailable


class Api:
    """Answers by cursor, and remembers what it was asked."""

    def __init__(self, pages: Mapping[str | None, Any], param: str = "page") -> None:
        self.pages, self.param = pages, param
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, params: Mapping[str, Any]) -> bytes:
        self.asked.append(dict(params))
        return json.dumps(self.pages[params.get(self.param)]).encode()


def page(rows: list[Any], following: str | None = None, **more: Any) -> dict[str, Any]:
    return {"data": rows, "has_more": following is not None, "next_page": following, **more}


async def test_every_page_is_read_with_the_same_parameters() -> None:
    api = Api({None: page([{"n": 1}], "b"), "b": page([{"n": 2}], "c"), "c": page([{"n": 3}])})
    found = await paged(api, {"limit": 2}, "api.example.com")
    assert ([each["n"] for each in found.rows], found.note) == ([1, 2, 3], "")
    assert api.asked == [{"limit": 2}, {"limit": 2, "page": "b"}, {"limit": 2, "page": "c"}]


async def test_a_list_goes_on_after_its_last_id() -> None:
    first = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    api = Api({None: first, "a": {"data": [{"id": "b"}], "has_more": False, "last_id": "b"}}, "after")
    found = await paged(api, {}, "x", Cursor("last_id", "after"))
    assert [each["id"] for each in found.rows] == ["a", "b"]


async def test_a_cursor_that_comes_again_ends_the_reading_and_says_so() -> None:
    api = Api({None: page([{"n": 1}], "b"), "b": page([{"n": 1}], "b")})
    found = await paged(api, {}, "x")
    assert len(api.asked) == 2
    assert found.note == "x leads from page 2 back to one that was read"


async def test_more_without_a_cursor_ends_the_reading_and_says_so() -> None:
    found = await paged(Api({None: {"data": [], "has_more": True, "next_page": None}}), {}, "x")
    assert "does not say where" in found.note


async def test_ever_new_cursors_end_too() -> None:
    count = 0

    async def ask(_params: Mapping[str, Any]) -> bytes:
        nonlocal count
        count += 1
        return json.dumps(page([{"n": count}], f"page {count}")).encode()

    assert (await paged(ask, {}, "x")).note == f"x has more than {MOST_PAGES} pages"
    assert count == MOST_PAGES


@pytest.mark.parametrize("rows", [[], [{"n": 1}]])
async def test_ever_new_cursors_to_the_same_page_end_soon_and_count_it_once(rows: list[dict[str, int]]) -> None:
    count = 0

    async def ask(_params: Mapping[str, Any]) -> bytes:
        nonlocal count
        count += 1
        return json.dumps(page(rows, f"page {count}")).encode()

    found = await paged(ask, {}, "x")
    assert found.rows == rows
    assert found.note == f"x promises more again and again, and page {count} brings nothing new"
    assert count < 5


@pytest.mark.parametrize("cursor", [7, True, ["x"], "", "x" * 10_000])
async def test_a_cursor_that_is_none_ends_the_reading(cursor: object) -> None:
    found = await paged(Api({None: {"data": [], "has_more": True, "next_page": cursor}}), {}, "x")
    assert "does not say where" in found.note


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"1", b"\xff", b"[" * 100_000, b'{"data":'])
def test_what_is_no_object_is_a_sentence(body: bytes) -> None:
    with pytest.raises(Unavailable, match=r"x is not a JSON object"):
        document(body, "x")


@pytest.mark.parametrize("data", [None, {}, "x", [1], [[]], [None]])
async def test_a_page_without_entries_is_a_sentence(data: object) -> None:
    with pytest.raises(Unavailable, match=r'no list of objects "data"'):
        await paged(Api({None: {"data": data}}), {}, "x")


def test_numbers_are_exact() -> None:
    assert document(b'{"a": 0.1234567890123456789}', "x") == {"a": Decimal("0.1234567890123456789")}
