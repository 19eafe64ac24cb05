"""What a LiteLLM proxy's lines grew by, added up: counters since infertop began to read, and spend by the minute."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from collectors._litellm_labels import REQUESTS, About, Meter, Refused, Spender
from infertop.readings.model import Series, Statement

_SECONDS = 60.0
_NEARLY = 1e-3  # differences of floats: 99999.99999999999 is 100000
MAX_STATEMENTS = 1000


class Books:
    """The sums. They are increases only: what LiteLLM drops from its page takes nothing off them.

    `since` is when they began, None before the first page.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self._told = 0.0
        self._requests = ""
        self._counted: dict[Meter, float] = {}
        self._spent: dict[Spender, float] = {}
        self._series: tuple[Series, ...] = ()

    def begin(self, ts: float) -> None:
        """Take the time of a page; the first one begins the books."""
        if self.since is None:
            self.since = self._told = ts

    def add(self, about: About, amount: float, served: Mapping[str, str]) -> None:
        """Add an increase; `served` tells which model answers to a name."""
        if isinstance(about, Spender):
            if amount:
                self._spent[about] = self._spent.get(about, 0.0) + amount
            return
        if isinstance(about, Refused):
            about = Meter("requests_failed", served.get(about.asked), about.reason)
        self._counted[about] = self._counted.get(about, 0.0) + amount

    def rows(self) -> tuple[tuple[Series, ...], tuple[float, ...]]:
        """Return the counters; the series are the same object while they are the same."""
        here = {each.metric for each in self._counted}
        self._requests = self._requests or next((each for each in REQUESTS if each in here), "")
        rows: dict[Series, float] = {}
        for meter, amount in self._counted.items():
            if meter.metric == self._requests:
                rows[meter._replace(metric=REQUESTS[0]).series] = amount
            elif meter.metric not in REQUESTS:
                rows[meter.series] = amount
        if tuple(rows) != self._series:
            self._series = tuple(rows)
        return self._series, tuple(rows.values())

    def statements(self, source: str, ts: float) -> Iterator[Statement]:
        """Yield, once a minute, who spent how much since; what is less than 1e-9 USD waits, as do the smallest of many.

        What a statement leaves is told by the next one, so that nothing is lost.
        """
        start = self._told
        if ts - start < _SECONDS or not self._spent:
            return
        largest = sorted(self._spent.items(), key=lambda each: (-each[1], each[0]))
        self._told = ts
        for who, usd in largest[:MAX_STATEMENTS]:
            if not (nano := int(usd * 1e9 + _NEARLY)):
                continue
            self._spent[who] = max(0.0, usd - nano / 1e9)
            yield _statement(source, who, start, ts, nano)
        self._spent = {who: usd for who, usd in self._spent.items() if usd}


def _statement(source: str, who: Spender, start: float, end: float, usd_nano: int) -> Statement:
    digest = hashlib.sha256(repr(who).encode()).hexdigest()[:16]
    return Statement(
        source=source,
        key=f"{start:.3f}/{digest}",
        start=start,
        end=end,
        provider=who.provider,
        model=who.model,
        dimensions=dict(who.dimensions),
        quantities={},
        requests=None,
        usd_nano=usd_nano,
        basis="computed",
    )
