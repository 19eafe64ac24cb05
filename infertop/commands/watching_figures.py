"""The figures that are watched, and the minutes of the ledger that each has been given.

Who tells late is waited for: a minute is given to a scope once all that is in it was told. All of it belongs to one
thread at a time.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

from infertop.commands.watching_scope import MINUTE, Frontier, Rules, Watchee
from infertop.history.figures import MinuteFlows
from infertop.money.detect.fault import Figure
from infertop.money.detect.incidents import Incident, Rule
from infertop.money.detect.scopes import (
    EVERYTHING,
    IDLE,
    METRICS,
    PER_MILLION,
    PER_REQUEST,
    REQUESTS,
    USD,
    Flow,
    Scope,
    scopes_of,
    watched_of,
)
from infertop.money.detect.watched import USUAL, Watched

MOST_SCOPES = 200
MOST_DETAILED = 40
# A provider that is later than that all the time is in no figure of several sources.
TIMELY_SECONDS = 2700.0
# Who has told nothing for so long is waited for no more: the rest would not be watched.
LOST_SECONDS = 6 * 3600.0
# A source is part of a scope as long as it had anything in it within a day.
_PART_SECONDS = 86400
_GAIN = 1 / 60
_RANKED_SECONDS = 3600
_DAILY_GAIN = 1 / 1440
_SAME_PRICE = 0.005
_YOUNG_SECONDS = 3600.0


class Happened(NamedTuple):
    """An incident that was opened or closed by the minute that starts at `minute`."""

    figure: Figure
    incident: Incident
    minute: int


class Figures:
    """All that is watched. `rule` says what makes an incident of any figure, in `zone` days are counted."""

    def __init__(self, rule: Rule = USUAL, zone: tzinfo | None = None) -> None:
        self.rule = rule
        self.zone = zone
        self.scopes: dict[Scope, Watchee] = {}
        self.rebased: set[Scope] = set()
        self.also: Mapping[Scope, frozenset[str]] = {}  # who has to have told besides those that are seen in a minute
        self._ranked = 0
        self._young = False
        self._before: tuple[Rules, MinuteFlows, dict[Scope, Flow]] | None = None

    def begin(self, minute: int) -> None:
        """Begin with the minute after `minute`, where nothing is known of before."""
        if EVERYTHING not in self.scopes:
            self.scopes[EVERYTHING] = Watchee(minute, detailed=True)

    def change(self, rule: Rule, zone: tzinfo | None) -> None:
        """Judge by another rule from now on."""
        if (rule, zone) == (self.rule, self.zone):
            return
        self.rule, self.zone = rule, zone
        for each in self.scopes.values():
            for name, watched in each.figures.items():
                each.figures[name] = Watched.load(watched.dump(), METRICS[name].rule(rule), zone)

    def current(self) -> Iterator[tuple[Figure, Incident]]:
        """Yield what lasts."""
        for scope, each in self.scopes.items():
            for name, watched in each.figures.items():
                if watched.current is not None:
                    yield Figure(scope, name), each.told(name, watched.current)

    def history(self, figure: Figure) -> float:
        """Return how many seconds of the past of a figure are known, 0 where it is not watched."""
        found = self.scopes.get(figure.scope)
        watched = found.figures.get(figure.metric) if found else None
        return watched.history_seconds if watched else 0.0

    def wanted(self, frontier: Frontier) -> set[int]:
        """Return the starts of the minutes that may be given now and were not."""
        found: set[int] = set()
        for scope, each in self.scopes.items():
            found.update(range(each.fed + MINUTE, frontier.of(scope, each.parts), MINUTE))
        return found

    def take(self, minute: MinuteFlows, frontier: Frontier, rules: Rules) -> list[Happened]:
        """Give a minute to every scope that may have it and had all before it; return the incidents of that."""
        self._meet(minute)
        if minute.start // _RANKED_SECONDS != self._ranked:
            self._ranked = minute.start // _RANKED_SECONDS
            self._rank()
        sums = _sums(minute, rules)
        self._young = self.history(Figure(EVERYTHING, USD)) <= _YOUNG_SECONDS
        happened: list[Happened] = []
        for scope, each in self.scopes.items():
            if each.fed < minute.start < frontier.of(scope, each.parts):
                happened += self._give(scope, each, minute, sums.get(scope), frontier, rules)
                each.fed = minute.start
        return happened

    def _meet(self, minute: MinuteFlows) -> None:
        """Begin with scopes that were never seen, the dearest first; where there is no room, in place of cheap ones."""
        new: dict[Scope, Watchee] = {}
        for place, flow in minute.flows.items():
            for scope in scopes_of(place):
                each = self.scopes.get(scope)
                if each is None:
                    each = new.setdefault(scope, Watchee(minute.start - MINUTE))
                    each.usd_per_hour += flow.usd or 0.0
                if flow.is_used:
                    each.parts[place.source] = max(minute.start, each.parts.get(place.source, 0))
        if not new:
            return
        cheap = [(each.usd_per_hour, scope) for scope, each in self.scopes.items() if scope and not each.lasts]
        cheap.sort(reverse=True)
        details = sum(each.detailed for each in self.scopes.values())
        for scope, each in sorted(new.items(), key=lambda item: (-item[1].usd_per_hour, item[0])):
            if len(self.scopes) >= MOST_SCOPES:
                if not cheap or each.usd_per_hour <= 2 * cheap[-1][0]:
                    return
                del self.scopes[cheap.pop()[1]]
            each.detailed = len(watched_of(scope)) > 1 and details < MOST_DETAILED
            details += each.detailed
            self.scopes[scope] = each

    def _rank(self) -> None:
        """Look at the dearest in detail; of the others go on with what is wrong and with dollars."""
        able = [
            (each.usd_per_hour, scope) for scope, each in self.scopes.items() if scope and len(watched_of(scope)) > 1
        ]
        dearest = {scope for _, scope in sorted(able, reverse=True)[:MOST_DETAILED]}
        for _, scope in able:
            each = self.scopes[scope]
            each.detailed = scope in dearest
            if not each.detailed and not each.lasts:
                each.figures = {name: watched for name, watched in each.figures.items() if name == USD}

    def _give(
        self, scope: Scope, each: Watchee, minute: MinuteFlows, flow: Flow | None, frontier: Frontier, rules: Rules
    ) -> Iterator[Happened]:
        each.parts = {source: last for source, last in each.parts.items() if last > minute.start - _PART_SECONDS}
        if not _is_known(scope, each.parts.keys() | self.also.get(scope, frozenset()), minute, frontier):
            return
        self._rebase(scope, each, minute, flow, rules)
        if flow is not None and flow.gpu_usd is not None:
            each.gpu_usd = flow.gpu_usd + (1 - _DAILY_GAIN) * ((each.gpu_usd or flow.gpu_usd) - flow.gpu_usd)
        known = dict(_values(each, flow))
        usd = known[USD][0] if USD in known else None
        each.usd_per_hour += _GAIN * ((usd or 0.0) - each.usd_per_hour)
        for name, (value, weight) in known.items():
            if name not in watched_of(scope):
                continue
            watched = each.figures.get(name)
            if watched is None:
                watched = each.figures[name] = Watched(METRICS[name].rule(self.rule), self.zone)
            if len(each.parts) > 1 or not self._young:  # another source, or somebody new, is no rise of what was
                watched.know_no_first()
            stake = None if flow is None else _of_requests(each, flow) if name == REQUESTS else flow.stake(name)
            found = watched.add(minute.start, METRICS[name].watched(value) + each.base(name), stake, weight)
            if found is not None:
                yield Happened(Figure(scope, name), each.told(name, found), minute.start)

    def _rebase(self, scope: Scope, each: Watchee, minute: MinuteFlows, flow: Flow | None, rules: Rules) -> None:
        """Let what is expected in dollars follow an edit of pricing.toml, or of what counts."""
        if flow is None:
            return
        old = flow
        if each.rules is not None and each.rules is not rules:
            old = self._sums_by(each.rules, minute).get(scope, Flow())
        each.rules = rules
        self._follow_price(scope, each, (USD, IDLE), old.old_usd, flow.usd)
        self._follow_price(scope, each, (PER_REQUEST, PER_MILLION), old.old_api_usd, flow.api_usd)

    def _follow_price(
        self, scope: Scope, each: Watchee, names: Sequence[str], before: float | None, usd: float | None
    ) -> None:
        """Let figures go on at `usd` where they were at `before` for the same use; from nothing they begin anew."""
        if usd is None or before == usd or (before and abs(usd / before - 1) <= _SAME_PRICE):
            return
        self.rebased.add(scope)
        for name in set(names) & each.figures.keys():
            if before is None or before <= 0 or usd <= 0:
                del each.figures[name]
            else:
                each.figures[name].rebase(usd / before)
        if IDLE in names and each.gpu_usd is not None and before:
            each.gpu_usd *= usd / before

    def _sums_by(self, rules: Rules, minute: MinuteFlows) -> dict[Scope, Flow]:
        """Return what scopes had by the rules of before; that is asked for many scopes of one minute."""
        if self._before is None or self._before[0] is not rules or self._before[1] is not minute:
            self._before = rules, minute, _sums(minute, rules)
        return self._before[2]

    def learn(self, other: Figures, keep: Collection[Figure]) -> None:
        """Take the figures of `other`, which has come as far and knows more of the past, but of those in `keep`."""
        for scope, new in other.scopes.items():
            each = self.scopes.get(scope)
            if each is None and len(self.scopes) < MOST_SCOPES:
                self.scopes[scope] = new
            if each is None or each.fed != new.fed:
                continue
            for name, watched in new.figures.items():
                had = each.figures.get(name)
                wanted = Figure(scope, name) not in keep and (name == USD or each.detailed)
                if wanted and (had is None or watched.known >= had.known):
                    each.figures[name] = watched
                    each.gpu_usd = new.gpu_usd if name == IDLE else each.gpu_usd

    def dump(self, scope: Scope) -> dict[str, Any]:
        """Return what is known of a scope, for JSON."""
        each = self.scopes[scope]
        return {
            "figures": {name: watched.dump() for name, watched in each.figures.items()},
            "parts": each.parts,
            "usd_per_hour": each.usd_per_hour,
            "gpu_usd": each.gpu_usd,
            "detailed": each.detailed,
        }

    def load(self, scope: Scope, until: int, state: Mapping[str, Any]) -> None:
        """Go on with a scope from what `dump` told as of `until`; raise ValueError where it cannot be read."""
        try:
            figures = {
                name: Watched.load(content, METRICS[name].rule(self.rule), self.zone)
                for name, content in state["figures"].items()
                if name in METRICS
            }
            parts = {str(source): int(last) for source, last in state["parts"].items()}
            usd, detailed = float(state["usd_per_hour"]), bool(state["detailed"])
            gpu = None if state["gpu_usd"] is None else float(state["gpu_usd"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"what is known of {json.dumps(scope)} cannot be read: {error!r}") from None
        self.scopes[scope] = Watchee(until, figures, parts, usd, gpu, detailed, saved=until)


def _of_requests(each: Watchee, flow: Flow) -> float | None:
    """Return the $/hour that requests are about; those beyond the plan cost what the planned ones usually do not.

    So a flood of small requests costs less than as many usual ones.
    """
    plan, usual = (each.figures[name].plan if name in each.figures else None for name in (REQUESTS, PER_REQUEST))
    if flow.api_usd is None or flow.requests is None or plan is None or usual is None or flow.requests <= plan * 3600:
        return flow.api_usd
    beyond = flow.api_usd - plan * 3600 * usual
    return beyond * flow.requests / (flow.requests - plan * 3600)


def _sums(minute: MinuteFlows, rules: Rules) -> dict[Scope, Flow]:
    found: dict[Scope, Flow] = {}
    for place, flow in minute.flows.items():
        joint = rules.has(place)
        for scope in scopes_of(place):
            if joint or (scope and scope[0][0] == "source"):
                found.setdefault(scope, Flow()).add(flow)
    return found


def _is_known(scope: Scope, parts: Collection[str], minute: MinuteFlows, frontier: Frontier) -> bool:
    """Say whether all of a scope, which has these sources, is known of a minute, by the minute."""
    if any(scope in scopes_of(place) for place in minute.wide if place.source not in frontier.late or scope):
        return False
    return minute.covered or all(frontier.has_told(source, minute.stated) for source in parts)


def _values(each: Watchee, flow: Flow | None) -> Iterator[tuple[str, tuple[float, float]]]:
    if flow is None:  # nothing was used; what that is a mean of is not known
        yield from ((name, (0.0, 1.0)) for name in (USD, IDLE, REQUESTS) if name in each.figures)
        return
    for name, value, weight in flow.figures(each.detailed):
        yield name, (value, weight)
