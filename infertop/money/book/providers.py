"""Which provider's list answers, and which model of it a name means, as genai-prices finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from infertop.money.book.clauses import Matches, compiled, words
from infertop.money.book.corrections import Correction, corrected
from infertop.money.book.names import Names, clause_of, with_dashed_dates
from infertop.money.book.prices import Priced

_PREFIXING = "litellm"


class Provider:
    """One provider's list. Clauses are compiled and prices read when they are first asked for."""

    def __init__(self, data: Mapping[str, Any], known: Iterable[Correction]) -> None:
        """Take a provider's `data` of the book, and what is known to be wrong in it."""
        self.id = str(data["id"])
        self.name = str(data.get("name", self.id))
        self._listed: Sequence[Mapping[str, Any]] = data["models"]
        self._known = [each for each in known if each.provider == self.id]
        self.fallbacks: Sequence[str] = data.get("fallback", ())
        self._called = data.get("called")
        self._infers = data.get("infers")
        self._priced: dict[int, Priced] = {}

    @cached_property
    def entries(self) -> Sequence[Mapping[str, Any]]:
        """Its models, corrected, in the order in which names are tried."""
        return corrected(self._listed, self._known) if self._known else self._listed

    @cached_property
    def called(self) -> Matches | None:
        """The test of other spellings of the provider's id."""
        return compiled(self._called) if self._called else None

    @cached_property
    def infers(self) -> Matches | None:
        """The test of models that are this provider's where nobody says whose they are."""
        return compiled(self._infers) if self._infers else None

    @cached_property
    def names(self) -> Names:
        """The names of its models."""
        return Names([clause_of(entry) for entry in self.entries])

    def name_of(self, position: int) -> str:
        """Return a name that means the model at `position`: its id, or else one that its clause is made of."""
        entry = self.entries[position]
        names = (entry["id"], *words(clause_of(entry)))
        return str(next((each for each in names if self.names.find(each.lower()) == position), entry["id"]))

    def model(self, name: str) -> Priced | None:
        """Return the prices of the model of this list that `name` (in lower case) means, or None."""
        position = self.names.find(name)
        if position is None:
            return None
        if position not in self._priced:
            self._priced[position] = Priced(self.id, self.entries[position])
        return self._priced[position]


class Providers:
    """All lists of the book, in its order."""

    def __init__(self, data: Sequence[Mapping[str, Any]], known: Sequence[Correction]) -> None:
        """Take the providers' `data` of the book, and what is known to be wrong in it."""
        self.all = tuple(Provider(each, known) for each in data)
        self._ids = {each.id: each for each in self.all}

    def by_id(self, name: str) -> Provider | None:
        """Return the provider of that id or with a name like it, or None."""
        name = name.lower().strip()
        if name in self._ids:
            return self._ids[name]
        return next((each for each in self.all if each.called and each.called(name)), None)

    def inferred(self, model: str) -> Provider | None:
        """Return the provider whose list such model names (in lower case) belong to, or None."""
        if not model:
            return None
        return next((each for each in self.all if each.infers and each.infers(model)), None)

    def find(self, provider: str, model: str) -> tuple[Provider, Priced] | None:
        """Return the provider that is meant, and the prices of the model from its list or from one it falls back to."""
        model = model.lower()
        if provider.lower() == _PREFIXING and "/" in model:
            behind, rest = model.split("/", 1)
            if behind and self.by_id(behind):
                provider, model = behind, rest
        asked = self._asked(provider, model)
        if asked is None:
            return None
        priced = self._model(asked, model)
        if priced is None and (dashed := with_dashed_dates(model)) != model:
            priced = self._model(asked, dashed)
        return (asked, priced) if priced else None

    def _asked(self, provider: str, model: str) -> Provider | None:
        if provider:
            if found := self.by_id(provider):
                return found
            if provider.lower() != _PREFIXING:
                return None
        return self.inferred(model)

    def _model(self, asked: Provider, model: str) -> Priced | None:
        if priced := asked.model(model):
            return priced
        # One step of fall-back: a list that is fallen back to does not fall back itself.
        lists = (self._ids[name] for name in asked.fallbacks if name in self._ids)
        return next((priced for each in lists if (priced := each.model(model))), None)
