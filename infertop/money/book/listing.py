"""The price book: which list and which of its models a name means, and what that costs at one moment."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from infertop.money.book.corrections import Correction
from infertop.money.book.prices import Priced
from infertop.money.book.providers import Provider, Providers
from infertop.money.quote import STANDARD, Quote, Way

LONGEST_NAME = 512
LONGEST_TIER = 64
_REMEMBERED = 4096
_NOT = 6


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of one provider's list.

    `model` is a name that means it: its id, or where the list does not answer to that, another one. `id` is what
    Quote.matched says, `note` what the list says about its prices, `free` that it costs nothing.
    """

    provider: str
    model: str
    name: str
    context_window: int | None
    free: bool
    note: str
    id: str = ""


class Listing:
    """An immutable snapshot of list prices; two with the same name and content are equal.

    `version` is that of the genai-prices package that it was made from, `date` the day whose prices it has, `name` what
    the source of a price says.
    """

    def __init__(self, data: Mapping[str, Any], content: bytes, known: Sequence[Correction] = ()) -> None:
        """Take a snapshot's `data`, of which `content` is the text, and what is known to be wrong in it."""
        self.version = str(data["version"])
        self.date = str(data["date"])
        self.name = f"snapshot {self.date}"
        self._id = hashlib.sha256(content + repr(known).encode()).hexdigest()
        self._providers = Providers(data["providers"], known)
        self._found: dict[tuple[str, str], tuple[Provider, Priced] | None] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Listing):
            return NotImplemented
        return (self.name, self._id) == (other.name, other._id)

    def __hash__(self) -> int:
        return hash((self.name, self._id))

    def __repr__(self) -> str:
        return f"Listing({self.name}, {self._id[:8]})"

    def quote(self, provider: str, model: str, ts: float, way: Way = STANDARD) -> Quote | None:
        """Return what a model costs at `ts` (epoch seconds), or None where it is not listed or has no price.

        With no `provider` the list is the one that such model names belong to. Names are taken as genai-prices takes
        them: in any case, with dates written compactly, behind a litellm prefix, from the fall-back provider's list.
        """
        if not math.isfinite(ts):
            raise ValueError(f"{ts} is no time")
        found = self._find(provider, model)
        if found is None:
            return None
        asked, priced = found
        if len(way.service_tier) > LONGEST_TIER:
            way = replace(way, service_tier=way.service_tier[:LONGEST_TIER])
        return priced.quote(ts, way, self.name, reseller=priced.provider != asked.id)

    def lists(self, provider: str, model: str) -> bool:
        """Say whether the list of a provider, or one that it falls back to, has the model, with or without a price."""
        return self._find(provider, model) is not None

    def provider(self, name: str) -> str | None:
        """Return the canonical id of a provider ("vertex_ai": "google"), or None for one that is not listed."""
        found = self._providers.by_id(name[:LONGEST_NAME])
        return found.id if found else None

    def reason(self, provider: str, model: str) -> str:
        """Return why the book corrects the list's price of a model, and by which source; empty where it does not."""
        found = self._find(provider, model)
        return found[1].why if found else ""

    def models(self) -> Sequence[Listed]:
        """Return every model, provider by provider, in the order in which names are tried."""
        return self._listed

    def search(self, text: str) -> Sequence[Listed]:
        """Return the models that `text` may mean, the likeliest first.

        Those of that id come first (that of the list such names belong to before others), then those answering to it,
        those matching it as a glob, and those whose name contains it.
        """
        text = text.strip().lower()[:LONGEST_NAME]
        home = self._providers.inferred(text)
        answering = {
            (each.id, each.entries[found]["id"])
            for each in self._providers.all
            if (found := each.names.find(text)) is not None
        }
        ranks = {
            position: _rank(each, text, home.id if home else "", answering)
            for position, each in enumerate(self._listed)
        }
        return [
            self._listed[position] for position in sorted(ranks, key=lambda each: ranks[each]) if ranks[position] < _NOT
        ]

    @cached_property
    def _listed(self) -> tuple[Listed, ...]:
        return tuple(
            Listed(
                provider.id,
                provider.name_of(position),
                entry.get("name", ""),
                entry.get("context"),
                bool(entry.get("free")),
                entry.get("note", ""),
                entry["id"],
            )
            for provider in self._providers.all
            for position, entry in enumerate(provider.entries)
        )

    def _find(self, provider: str, model: str) -> tuple[Provider, Priced] | None:
        """Return the provider that is asked and the model's prices, from its own list or a fall-back's."""
        if len(provider) > LONGEST_NAME or len(model) > LONGEST_NAME:
            return None
        asked = (provider, model)
        try:
            return self._found[asked]
        except KeyError:
            found = self._providers.find(provider, model)
        if len(self._found) >= _REMEMBERED:
            # Names come from outside and may be made up without end.
            self._found.clear()
        self._found[asked] = found
        return found


def _rank(listed: Listed, text: str, home: str, answering: Set[tuple[str, str]]) -> int:
    name = listed.model.lower()
    whole = f"{listed.provider}/{name}"
    if text in (name, whole, listed.id.lower()):
        return 0 if listed.provider == home else 1
    if (listed.provider, listed.id) in answering:
        return 2 if listed.provider == home else 3
    if any(ch in text for ch in "*?[") and (fnmatchcase(name, text) or fnmatchcase(whole, text)):
        return 4
    return 5 if text in whole or text in listed.name.lower() else _NOT
