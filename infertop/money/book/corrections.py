"""Rows of the list that are known to be wrong, and what is right: data/price_corrections.toml applied to a list."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from infertop.money.book.names import Names, clause_of

_FILE = Path(__file__).parent.parent / "data" / "price_corrections.toml"
_PRICES = ("usd", "prices", "variants")


@dataclass(frozen=True, slots=True)
class Correction:
    """What is right for `model` of a provider's list while one of its rows still says `was`.

    `alone` says that the row answers to other names too, which keep its prices. `prices` and `variants` are rows as in
    the list and replace its.
    """

    provider: str
    model: str
    was: Mapping[str, Any]
    reason: str
    source: str
    prices: Sequence[Mapping[str, Any]]
    variants: Sequence[Mapping[str, Any]] = ()
    alone: bool = False
    context: int | None = None

    @property
    def why(self) -> str:
        """The reason and where it is from, in one line."""
        return f"{' '.join(self.reason.split())} Source: {' '.join(self.source.split())}"


@cache
def corrections() -> tuple[Correction, ...]:
    """Return the corrections that are shipped, in the order of their file."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"), parse_float=str)
    return tuple(Correction(**each) for each in data["correction"])


def corrected(entries: Sequence[Mapping[str, Any]], known: Iterable[Correction]) -> list[Mapping[str, Any]]:
    """Return one provider's `entries` with those replaced that are still wrong.

    A corrected entry has its former self as `before` and says `why`.
    """
    found = list(entries)
    for each in known:
        position = Names([clause_of(entry) for entry in found]).find(each.model)
        if position is None or not _says(before := found[position], each.was):
            continue
        right = {
            **{key: value for key, value in before.items() if key not in _PRICES},
            "prices": each.prices,
            "variants": each.variants,
            "before": before,
            "why": each.why,
        }
        if each.alone:
            own = {"id": each.model, "match": f"={each.model}", "name": "", "context": each.context}
            found.insert(position, right | own)
        else:
            found[position] = right
    return found


def _says(entry: Mapping[str, Any], was: Mapping[str, Any]) -> bool:
    """Say whether one of the entry's rows is in force at the same times as `was`, and has its prices."""
    rows = [{"usd": entry["usd"]}] if "usd" in entry else entry.get("prices", ())
    times, usd = was.keys() - {"usd"}, was["usd"]
    return any(
        row.keys() - {"usd"} == times
        and all(row[key] == was[key] for key in times)
        and all(row["usd"].get(key) == price for key, price in usd.items())
        for row in rows
    )
