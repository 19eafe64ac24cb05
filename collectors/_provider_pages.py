"""Reading an admin API page by page: no cursor is followed for ever, and a broken page is a sentence."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from infertop.engine.collector import Unavailable
from infertop.engine.http import TOO_LARGE
from infertop.readings.safe import safe

MOST_PAGES = 100
MOST_BYTES = 128 * 2**20
_MOST_SAME = 3
_GOOD = 200
_FEWER = 4
_LONGEST_CURSOR = 4096

Row = Mapping[str, Any]
Params = Mapping[str, Any]
Ask = Callable[[Params], Awaitable[bytes]]
"""Asks for one page by its parameters, and returns its body."""


class Paged(NamedTuple):
    """The entries of all pages in order. `note` says why there may be more, empty where all was read."""

    rows: list[Row]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How an API names the page that follows: the field of the answer, and the parameter that asks for it."""

    field: str = "next_page"
    param: str = "page"


async def paged(ask: Ask, params: Params, where: str, cursor: Cursor | None = None, most: int = MOST_PAGES) -> Paged:
    """Ask for page after page with the same parameters until the API says that there is no more.

    A cursor that was there before, none where more is promised, and pages that bring nothing new end it with a note:
    what was read stands, and is not all. Raises Unavailable where a page is none.
    """
    cursor = cursor or Cursor()
    rows: list[Row] = []
    seen: set[str] = set()
    asked = dict(params)
    size, same, before = 0, 0, None
    for number in range(1, most + 1):
        body = await ask(asked)
        page = document(body, where)
        new = entries(page, "data", where)
        following = page.get(cursor.field)
        if not page.get("has_more", following):
            return Paged(rows + new)
        same = same + 1 if new == before or not new else 0
        if new != before:
            rows += new
        before, size = new, size + len(body)
        if not isinstance(following, str) or not 0 < len(following) <= _LONGEST_CURSOR:
            return Paged(rows, f"{where} promises more after page {number} and does not say where")
        if following in seen:
            return Paged(rows, f"{where} leads from page {number} back to one that was read")
        if same >= _MOST_SAME:
            return Paged(rows, f"{where} promises more again and again, and page {number} brings nothing new")
        if size > MOST_BYTES:
            return Paged(rows, f"{where} has more than {MOST_BYTES // 2**20} MiB: {number} pages of it were read")
        seen.add(following)
        asked[cursor.param] = following
    return Paged(rows, f"{where} has more than {most} pages")


class Pager:
    """Reads pages of so many buckets, and of fewer from then on where an answer turns out too large to be taken."""

    def __init__(self) -> None:
        self._most: dict[object, int] = {}

    async def read(self, ask: Ask, params: Params, where: str) -> Paged:
        """Return what `paged` does; `params` has the `limit` of a page."""
        kind = where, params.get("bucket_width")
        while True:
            limit = min(params["limit"], self._most.get(kind, params["limit"]))
            try:
                return await paged(ask, {**params, "limit": limit}, where, most=MOST_PAGES + params["limit"] // limit)
            except Unavailable as error:
                if error.status != TOO_LARGE or limit == 1:
                    raise
            self._most[kind] = max(1, limit // _FEWER)


def document(body: bytes, where: str) -> dict[str, Any]:
    """Return a JSON object; numbers with a point are Decimal. Raises Unavailable where it is none."""
    try:
        page = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, dict):
        raise Unavailable(f"the answer of {where} is not a JSON object: is the url right?", status=_GOOD)
    return page


def entries(page: Row, name: str, where: str) -> list[Row]:
    """Return the objects in the list `name` of a page; raise Unavailable where there is no such list of objects."""
    found = page.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        sentence = f'the answer of {where} has no list of objects "{safe(name)}": its format is not known'
        raise Unavailable(sentence, status=_GOOD)
    return found
