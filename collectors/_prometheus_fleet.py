"""The targets of a Prometheus: which series belongs to which, and what each of them is and is called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collectors._prometheus_exact import SCRAPED
from collectors._prometheus_labels import (
    REPLICAS,
    WORKLOAD,
    Labels,
    address,
    line_start,
    model_of,
    parsed,
    places,
    url_of,
)
from collectors._prometheus_systems import System, system_of
from collectors._prometheus_target import Target, reader
from infertop.engine.clock import Clock
from infertop.engine.collector import SourceConfig
from infertop.readings.model import Batch, Member

MAX_SERIES = 1_000_000
MAX_TARGETS = 10_000
_AGED_SECONDS = 3600.0
_FEW = 500
_SWITCH_INTERVALS = 3.0

Key = tuple[tuple[str, str], ...]
Site = tuple[str, str]
_Place = tuple[dict[int, bytes], int]


@dataclass(slots=True)
class _Stranger:
    """What is no engine as far as is known: its series are looked at again when there are new ones."""

    names: set[str] = field(default_factory=set)
    keys: list[int] = field(default_factory=list)


class Fleet:
    """All targets. Of an answer `begin` is told its beginning, `take` each series, and `members` its end.

    The labels of a series are read once: the same ones come with every answer. `options` are those of the systems'
    own kinds, `beyond` counts the series of an answer that are more than can be kept, `odd` those without good labels.
    """

    def __init__(
        self, source: str, host: str, clock: Clock, options: Mapping[str, object], live: Fleet | None = None
    ) -> None:
        self._source = source
        self._host = host
        self._clock = clock
        self._options = dict(options)
        self._names: dict[Key, str] = live._names if live else {}
        self._taken: set[str] = live._taken if live else {source}
        self._unsaid: dict[str, str] = live._unsaid if live else {}
        self._told: dict[Site, tuple[str, ...]] = live._told if live else {}
        self._places: dict[int, _Place] = {}
        self._targets: dict[Key, Target] = {}
        self._strangers: dict[Key, _Stranger] = {}
        self._leading: dict[str, Target] = {}
        self._new: list[tuple[bytes, bytes]] = []
        self._nobodys: dict[int, bytes] = {}
        self.beyond = self.odd = 0

    @property
    def targets(self) -> Iterable[Target]:
        """The targets that are known."""
        return self._targets.values()

    def call(self, names: Mapping[str, str]) -> None:
        """Give targets the names that they had before, as `newly_named` said them: of two that could have one name,
        the first to come has it, and a restart must not give it to the other."""
        for text, name in names.items():
            try:
                key = tuple((label, value) for label, value in json.loads(text))
            except (ValueError, TypeError, RecursionError):
                continue
            self._names[key] = name
            self._taken.add(name)

    def newly_named(self) -> dict[str, str]:
        """Return the names that were given since this was last asked."""
        named = dict(self._unsaid)
        self._unsaid.clear()
        return named

    def past(self) -> Fleet:
        """Return a fleet for the past, which is read apart: it knows the names of this one's targets, no series."""
        return Fleet(self._source, self._host, self._clock, self._options, self)

    def begin(self) -> None:
        """Take what follows for a new answer."""
        self._new.clear()
        self._nobodys.clear()
        self.beyond = self.odd = 0
        for target in self._targets.values():
            target.points.clear()
            target.clock.clear()

    def take(self, labels: bytes, points: bytes) -> None:
        """Take one series of the answer."""
        place = self._places.get(hash(labels))
        if place is not None:
            place[0][place[1]] = points
        elif len(self._places) + len(self._new) < MAX_SERIES:
            self._new.append((labels, points))
        else:
            self.beyond += 1

    async def members(self, ts: float, interval: float, least_seconds: float = 0.0) -> tuple[Member, ...]:
        """End the answer that was asked for at `ts`: return the targets that it is about, with what is new of each.

        A fleet's first answer is seconds of work, in which others run too.
        """
        for _ in self._learn():
            await asyncio.sleep(0)
        self._age(ts)
        members = []
        for target in list(self._targets.values()):
            if target.points and self._leads(target):
                members.append(_member(target, tuple(target.batches(ts, least_seconds)), interval))
                await asyncio.sleep(0)
        return tuple(members)

    def _leads(self, target: Target) -> bool:
        """Say whether this is the one of several that write the same target; the first, until it falls silent."""
        leading = self._leading.setdefault(target.name, target)
        if leading is not target and (not leading.points or leading not in self._targets.values()):
            patience = _SWITCH_INTERVALS * (leading.interval or 15.0)
            target_newest = max(target.newest, leading.newest)
            if leading.newest + patience < self._clock.now() or not leading.newest:
                target.newest = target_newest
                self._leading[target.name] = leading = target
        return leading is target

    def _learn(self) -> Iterator[None]:
        """Find out to whom the series belong that were not known, a few at a time."""
        sites: dict[Site, list[tuple[int, Labels, bytes]]] = {}
        for number, (text, points) in enumerate(self._new):
            if number % _FEW == 0:
                yield
            labels = parsed(text)
            if labels is None:
                self.odd += 1
                self._places[hash(text)] = (self._nobodys, 0)
                continue
            site = (labels.get("job", ""), labels.get("instance", ""))
            sites.setdefault(site, []).append((hash(text), labels, points))
        self._new.clear()
        for site, series in sites.items():
            if site not in self._told:
                each = [labels for _, labels, _ in series]
                gpus = any(labels["__name__"].startswith("DCGM_") for labels in each)
                self._told[site] = places(each, gpus=gpus) + tuple(
                    name for name in REPLICAS if all(name in labels for labels in each)
                )
            self._divide(self._told[site], series)
            yield

    def _divide(self, told: tuple[str, ...], series: list[tuple[int, Labels, bytes]]) -> None:
        by_key: dict[Key, list[tuple[int, Labels, bytes]]] = {}
        for each in series:
            key = tuple((name, each[1][name]) for name in told if name in each[1])
            by_key.setdefault(key, []).append(each)
        for key, each_series in by_key.items():
            target = self._targets.get(key) or self._target(key, each_series)
            without = {name for name, _ in key} | self._others(key)
            if target is not None:
                without |= target.scrapers([labels for _, labels, _ in each_series])
            if target is not None and target.system.nameless:
                without |= {"model_name", "model", "served_model_name"}
            for number, labels, points in each_series:
                if target is not None and labels["__name__"] == SCRAPED:
                    self._places[number] = (target.clock, 0)
                    target.clock[0] = points
                    target.keys.append(number)
                    continue
                if target is None:
                    self._places[number] = (self._nobodys, 0)
                    self._strangers[key].keys.append(number)
                    continue
                place = target.add(line_start(labels, without), number)
                self._places[number] = (target.points, place)
                target.points[place] = points

    @staticmethod
    def _others(key: Key) -> frozenset[str]:
        """Return the labels that are the scraper's own although they tell no targets apart."""
        return WORKLOAD if any("dcgm" in value for name, value in key if name == "pod") else frozenset()

    def _target(self, key: Key, series: list[tuple[int, Labels, bytes]]) -> Target | None:
        stranger = self._strangers.setdefault(key, _Stranger())
        stranger.names |= {labels["__name__"] for _, labels, _ in series}
        system = system_of(stranger.names)
        if system is None or len(self._targets) >= MAX_TARGETS:
            return None
        for number in self._strangers.pop(key).keys:
            self._places.pop(number, None)  # they were taken for somebody else's, and are looked at again
        made = self._targets[key] = self._made(key, system, series[0][1])
        return made

    def _made(self, key: Key, system: System, labels: Labels) -> Target:
        place = dict(key)
        where = address(place, self._host)
        named = tuple(pair for pair in key if pair[0] not in REPLICAS)
        name = self._names.get(named) or self._name(f"{system.kind.name}@{where}", named)
        if self._names.get(named) != name:
            self._names[named] = name
            self._unsaid[json.dumps(named)] = name
        self._taken.add(name)
        wanted = {option.name for option in system.kind.options}
        options = {each: value for each, value in self._options.items() if each in wanted}
        if system.nameless and (model := model_of(labels)):
            options["model"] = model
        config = SourceConfig(system.kind.name, name, url_of(where), options=options)
        return Target(place, system, name, config.url, reader(system, config, self._clock))

    def _name(self, name: str, key: Key) -> str:
        """Return a name that no other target has: of several at one address, with what tells them apart."""
        taken = self._taken
        if name not in taken:
            return name
        place = dict(key)
        more = [value for each, value in key if each not in ("instance", "job") and value]
        for qualified in (*(f"{name}/{'/'.join(more[:count])}" for count in range(1, len(more) + 1)),):
            if qualified not in taken:
                return qualified[:300]
        name = f"{'/'.join((name, *more))}/{place.get('job', '')}"[:300]
        return next(each for number in range(1, MAX_TARGETS * 2) if (each := f"{name}#{number}") not in taken)

    def _age(self, ts: float) -> None:
        """Forget the series of targets that have not been scraped for long; their names stay theirs."""
        for key, target in list(self._targets.items()):
            if not target.points and target.newest and ts - target.newest > _AGED_SECONDS:
                del self._targets[key]
                for number in target.keys:
                    self._places.pop(number, None)
                if self._leading.get(target.name) is target:
                    del self._leading[target.name]


def _member(target: Target, batches: tuple[Batch, ...], interval: float) -> Member:
    return Member(
        target.name,
        target.system.kind.name,
        target.url,
        max(float(round(target.interval or 0.0)), interval),
        batches,
        False if target.system.gateway else None,
        target.labels,
    )
