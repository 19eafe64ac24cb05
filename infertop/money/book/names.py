"""The names of one provider's models, in the order in which they are tried: the first that matches answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from infertop.money.book.clauses import Matches, compiled

_COMPACT_DATE = re.compile(r"(-)(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


class Names:
    """Finds the position of the model that a name means, as trying every clause in turn would, but by table first."""

    def __init__(self, clauses: Sequence[Any]) -> None:
        """Compile `clauses`, one for each model; raises ValueError where one is broken."""
        self._exact: dict[str, int] = {}
        self._tried: list[tuple[int, Matches]] = []
        for position, clause in enumerate(clauses):
            for part in clause if isinstance(clause, list) else (clause,):
                if isinstance(part, str) and part.startswith("="):
                    self._exact.setdefault(part[1:].lower(), position)
                else:
                    self._tried.append((position, compiled(part)))

    def find(self, name: str) -> int | None:
        """Return the position of the first model whose clause matches `name` (in lower case), or None."""
        exact = self._exact.get(name)
        for position, matches in self._tried:
            if exact is not None and position >= exact:
                return exact
            if matches(name):
                return position
        return exact


def clause_of(entry: Mapping[str, Any]) -> Any:
    """Return the clause of a model's entry in the book: by default, that the name is its id."""
    return entry.get("match", f"={entry['id']}")


def with_dashed_dates(name: str) -> str:
    """Return `name` with dates like -20251211 written -2025-12-11, as lists spell what gateways write compactly."""
    return _COMPACT_DATE.sub(_dashed, name)


def _dashed(match: re.Match[str]) -> str:
    year, month, day = match[2], match[3], match[4]
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return match[0]
    return f"-{year}-{month}-{day}"
