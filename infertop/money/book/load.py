"""The snapshot of list prices that is shipped, or a newer one that was refreshed into the user's data folder."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from infertop.money.book.corrections import corrections
from infertop.money.book.listing import Listing

_DATA = Path(__file__).parent.parent / "data"
FILE = "prices.json"


@cache
def shipped() -> Listing:
    """Return the snapshot that is shipped with infertop."""
    return _read(_DATA / FILE)


def newest(folder: Path | None) -> Listing:
    """Return the snapshot refreshed into `folder` where it is newer than the one shipped, else the latter."""
    return shipped()


def _read(path: Path) -> Listing:
    content = path.read_bytes()
    # Prices stay text: a float would not keep their digits.
    data: dict[str, Any] = json.loads(content, parse_float=str)
    return Listing(data, content, corrections())
