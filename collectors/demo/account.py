"""The demo's account at a provider: recorded traffic by key, told by the minute; one key begins to cost more."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import NamedTuple

from infertop.engine.collector import SourceConfig
from infertop.readings.account import Account
from infertop.readings.model import Batch, Covered, Statement

KIND = SOURCE = PROVIDER = "openai"
POLL_SECONDS = 60.0
SURGE_KEY, SURGE_TIMES = "prod-support", 3.4
SURGE = -24, 180
"""From when to when the prompts of that key are so many times as long, in minutes since the demo began."""
_MINUTE, _MINUTES = 60, 30
_SCOPE = "completions|"


class Client(NamedTuple):
    """A key, and the recorded client whose traffic it has, so many times as much."""

    key: str
    project: str
    model: str
    recorded: str
    times: float


CLIENTS = (
    Client(SURGE_KEY, "support", "gpt-4o", "support", 1.0),
    Client("doc-labels", "search", "gpt-4o", "labels", 4.0),
    Client("search-rag", "search", "gpt-4o-mini", "search", 25.0),
)


class Half(NamedTuple):
    """What a client used in half an hour."""

    requests: int
    input: int
    output: int


@cache
def recorded() -> dict[str, tuple[Half, ...]]:
    """Read the bundled recording: half hours by client."""
    text = files("collectors.demo").joinpath("clients.csv").read_text("utf-8")
    found: dict[str, list[Half]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        found.setdefault(row["client"], []).append(Half(*(int(row[name]) for name in Half._fields)))
    return {name: tuple(halves) for name, halves in found.items()}


@dataclass
class DemoAccount:
    """Tells each whole minute from `since` on; of two that began at the same time the same."""

    config: SourceConfig
    began: float
    since: float
    kind: str = KIND

    def __post_init__(self) -> None:
        self._first = int(self.began // _MINUTE)
        self._told = int(self.since // _MINUTE)

    async def collect(self, ts: float) -> Batch:
        """Return what was used in the minutes that ended since the last time."""
        start, now = self._told, max(int(ts // _MINUTE), self._told)
        self._told = now
        statements = tuple(
            said for minute in range(start, now) for each in CLIENTS if (said := self._said(each, minute))
        )
        covered = (Covered(start * _MINUTE, now * _MINUTE, _SCOPE),) if now > start else ()
        account = Account(complete_until=float(now * _MINUTE))
        return Batch(self.config.name, ts, (), (), statements=statements, covered=covered, account=account)

    async def close(self) -> None:
        """Nothing is held."""

    def _said(self, client: Client, minute: int) -> Statement | None:
        used = used_in(client, minute - self._first)
        if not used.requests:
            return None
        start = minute * _MINUTE
        return Statement(
            source=self.config.name,
            key=f"{_SCOPE}{start}|{_MINUTE}|{client.project}|{client.key}|{client.model}",
            start=float(start),
            end=float(start + _MINUTE),
            provider=PROVIDER,
            model=client.model,
            dimensions={"project": client.project, "key": client.key},
            quantities={"input": used.input, "output": used.output},
            requests=used.requests,
            usd_nano=None,
            basis="measured",
        )


def used_in(client: Client, minute: int) -> Half:
    """Return what a client used in a minute, counted since the demo began: its half hour's requests fall at random."""
    halves, dice = recorded()[client.recorded], Random(f"{client.key} {minute}")
    half = halves[minute // _MINUTES % len(halves)]
    mean = half.requests * client.times / _MINUTES
    requests = max(0, round(dice.gauss(mean, mean**0.5)))
    surge = SURGE_TIMES if client.key == SURGE_KEY and SURGE[0] <= minute < SURGE[1] else 1.0
    prompt = half.input / half.requests * dice.lognormvariate(0.0, 0.05) * surge
    output = half.output / half.requests * dice.lognormvariate(0.0, 0.05)
    return Half(requests, round(requests * prompt), round(requests * output))
