"""Runs what infertop watches over the benchmark's traffic: once as it was, and from each fault's begin on with it."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.anomalies_traffic import (
    CACHED,
    OUT,
    PROMPT_USD,
    SLOTS,
    START,
    STEP,
    WEEK,
    Fault,
    Traffic,
    Used,
    figures,
    model_of,
)
from infertop.money.detect.scopes import METRICS, watched_of
from infertop.money.detect.watched import USUAL, Watched
from infertop.money.why.incident import explain_incident
from infertop.money.why.usage import Usage, UsageLine

NEAR = 36  # slots of a fault that are watched
ALL = ""
CAUSES = {
    "volume": {"volume", "mix", "clients"},
    "prompt": {"prompt_tokens"},
    "output": {"output_tokens"},
    "price": {"price"},
    "cache": {"cache_hit_rate"},
}
_HOUR = 3600 // STEP


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a fault: slots until its own $/hour had an incident, and until any figure had; None: never.

    lost_usd: what it cost beyond the usual until an incident, or until it was over. named: whether the cause was named
    right when it was found, and when it was looked at again an hour later; None where it was not found.
    """

    fault: Fault
    own: int | None
    anywhere: int | None
    lost_usd: float
    named: tuple[bool, bool] | None


@dataclass
class Bench:
    """The traffic, the scopes that are watched, and what they were told to be when nothing was put in."""

    traffic: Traffic
    opened: Counter[tuple[str, str]] = field(default_factory=Counter)
    watched: dict[tuple[str, str], Watched] = field(default_factory=dict)

    def __post_init__(self) -> None:
        models = sorted({model_of(each) for each in self.traffic})
        self.members = {each: (each,) for each in self.traffic}
        self.members |= {model: tuple(each for each in self.traffic if model_of(each) == model) for model in models}
        self.members[ALL] = tuple(self.traffic)
        for scope in self.members:
            of = () if scope == ALL else (("model" if scope in models else "key", scope),)
            for name in watched_of(of):
                self.watched[scope, name] = Watched(METRICS[name].rule(USUAL))

    def run(self, faults: Iterable[Fault]) -> Iterator[Found]:
        """Go through the two weeks; yield what becomes of each fault."""
        by_begin: dict[int, list[Fault]] = {}
        for each in faults:
            by_begin.setdefault(each.begin, []).append(each)
        for slot in range(SLOTS):
            for fault in by_begin.get(slot, ()):
                yield self._put_in(fault)
            for key, change in self._add(slot, self.watched, None):
                if change and slot >= WEEK:
                    self.opened[key] += 1

    def _used(self, scope: str, slot: int, fault: Fault | None) -> list[tuple[str, Used]]:
        pairs = [(each, self.traffic[each][slot]) for each in self.members[scope]]
        return [(each, fault.of(slot, each, used)) for each, used in pairs] if fault else pairs

    def _add(
        self, slot: int, watched: dict[tuple[str, str], Watched], fault: Fault | None
    ) -> Iterator[tuple[tuple[str, str], bool]]:
        """Give a slot to what is watched; yield of each figure whether it opened an incident."""
        known = {scope: figures(self._used(scope, slot, fault)) for scope in {scope for scope, _ in watched}}
        for (scope, name), each in watched.items():
            if name in known[scope]:
                usd = known[scope]["usd_per_hour"]
                change = each.add(START + slot * STEP, METRICS[name].watched(known[scope][name]), usd)
                yield (scope, name), change is not None and change.until is None

    def _put_in(self, fault: Fault) -> Found:
        own = fault.clients[0] if len(fault.clients) == 1 else model_of(fault.clients[0])
        scopes = {own, model_of(own), ALL}
        watched = pickle.loads(pickle.dumps({key: each for key, each in self.watched.items() if key[0] in scopes}))
        found: dict[bool, int] = {}
        lost = 0.0
        for slot in range(fault.begin, fault.begin + fault.slots):
            past = slot - fault.begin + 1
            lost += (self._usd(own, slot, fault) - self._usd(own, slot, None)) * STEP / 3600 if not found else 0.0
            if past > NEAR or True in found:
                continue
            for key, opened in self._add(slot, watched, fault):
                if opened:
                    found.setdefault(key == (own, "usd_per_hour"), past)
        first = min(found.values(), default=None)
        named = (self._named(own, fault, first), self._named(own, fault, first + _HOUR)) if first else None
        return Found(fault, found.get(True), first, lost, named)

    def _usd(self, scope: str, slot: int, fault: Fault | None) -> float:
        return figures(self._used(scope, slot, fault))["usd_per_hour"]

    def _named(self, scope: str, fault: Fault, slots: int) -> bool:
        """Return whether the first `slots` of the fault are explained by what was put in."""
        until = min(fault.begin + min(slots, fault.slots), SLOTS)

        def read(spans: Sequence[tuple[float, float]]) -> list[Usage]:
            return [self._usage(scope, _slots(*span), fault) for span in spans]

        cause = explain_incident(START + fault.begin * STEP, START + until * STEP, read).why.cause
        return cause is not None and cause.factor in CAUSES[fault.kind]

    def _usage(self, scope: str, slots: Sequence[int], fault: Fault) -> Usage:
        lines = []
        for client in self.members[scope]:
            used = [fault.of(slot, client, self.traffic[client][slot]) for slot in slots]
            lines += _lines(client, used)
        return Usage(tuple(lines), seconds=len(slots) * STEP)


def _slots(start: float, end: float) -> range:
    """Return the slots that a window reaches into."""
    return range(max(math.floor((start - START) / STEP), 0), max(math.ceil((end - START) / STEP), 1))


def _lines(client: str, used: Sequence[Used]) -> Iterator[UsageLine]:
    model = model_of(client)
    dimensions = {"provider": "cloud", "model": model, "key": client}
    hours = len(used) * STEP / 3600
    price = PROMPT_USD[model] * 1e9
    of = {
        "input": [(each.fresh, price * each.price) for each in used],
        "cache_read": [(each.cached, CACHED * price * each.price) for each in used],
        "output": [(each.output, OUT * price * each.price) for each in used],
    }
    yield UsageLine(dimensions, "requests", sum(each.requests for each in used) / hours)
    for resource, parts in of.items():
        nano = round(sum(tokens * each for tokens, each in parts) / hours)
        yield UsageLine(dimensions, resource, sum(tokens for tokens, _ in parts) / hours, nano)
