"""The work of watching, in a thread: closed minutes are read from the ledger, and become steps of faults.

It is done in small parts, so that a week that is read for the first time holds up nothing. What is known is handed
over to be stored a few scopes at a time; after a restart it is read, and the minutes since are given again.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from infertop.commands.watching_around import Around
from infertop.commands.watching_figures import LOST_SECONDS, TIMELY_SECONDS, Figures, Happened
from infertop.commands.watching_heard import LEARNS_SECONDS
from infertop.commands.watching_news import News, Novelties
from infertop.commands.watching_past import HEARD, TOLD_SECONDS, Past
from infertop.commands.watching_reads import first_covered, first_minute, runs, used_before, used_by
from infertop.commands.watching_requests import Dear
from infertop.commands.watching_scope import MINUTE, Frontier, Rules
from infertop.history.dear import Request
from infertop.history.figures import Flows, MinuteFlows
from infertop.history.reader import Reader
from infertop.history.watch_state import Known, Wish, read_watched
from infertop.money.detect.fault import Figure, Step
from infertop.money.detect.faults import Faults
from infertop.money.detect.grouping import Moved
from infertop.money.detect.incidents import Incident, Rule
from infertop.money.detect.mixing import own_share
from infertop.money.detect.moves import moved_by
from infertop.money.detect.scopes import EVERYTHING, is_in
from infertop.money.detect.watched import USUAL
from infertop.money.overlap import Choices
from infertop.money.rates import PriceBook

_log = logging.getLogger(__name__)
_SAVED_SECONDS = 3600
_SAVED_AT_ONCE = 3
_SCOPE = "scope "
_COMMON = "common"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the work goes by: what is closed and told, which sources are read (None: not known), what counts.

    `logs` are the sources that tell of times in which nobody recorded, `unread` those with more to tell of the past.
    Requests dearer than `request_usd` are looked for where it is set, by `prices`.
    """

    now: float
    closed: int
    told: Mapping[str, float] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    sources: frozenset[str] | None = None
    rule: Rule = USUAL
    zone: tzinfo | None = None
    wishes: tuple[Wish, ...] = ()
    prices: PriceBook | None = None
    request_usd: float | None = None
    logs: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


@dataclass(slots=True)
class Done:
    """What came of it; `saves` are to be stored in one transaction, `behind` says that there is more to do."""

    steps: list[Step] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    saves: list[Known] = field(default_factory=list)
    behind: bool = False


class Work:
    """Everything that is watched of the history at `where`; it belongs to one thread at a time.

    With `anew` nothing is taken up of what was stored, and nothing is known of what was used later: for a replay.
    """

    def __init__(self, where: str, *, anew: bool = False) -> None:
        self._where = where
        self._anew = anew
        self._reader: Reader | None = None
        self._flows = Flows()
        self._figures = Figures()
        self._novelties = Novelties()
        self._dear = Dear()
        self._rules: tuple[Choices, frozenset[str], Rules] | None = None
        self._timely: set[str] = set()
        self._told: dict[str, float] = {}
        self._newest = 0
        self._learns_until = self._resumes_after = 0
        self._ended: dict[Figure, Incident] = {}
        self._stored: set[str] = set()
        self._around = Around(self._flows)
        self.faults = Faults()
        self._past = Past(self._figures, self.faults)

    def advance(self, asked: Asked, seconds: float) -> Done:
        """Go on for so many seconds at most; raise Unreadable where the history cannot be read."""
        deadline = time.monotonic() + seconds
        if self._reader is None:
            self._begin(asked)
        self._figures.change(asked.rule, asked.zone)
        frontier, done = self._frontier(asked), Done()
        rules = self._rules_of(asked.choices, frontier.late)
        done.steps += self._hear(asked.wishes)
        minutes = sorted(self._figures.wanted(frontier) | self._unseen(asked.closed))
        for minute in self._read(minutes, frontier):
            happened = self._figures.take(minute, frontier, rules)
            done.news += self._novelties.look(minute, self._is_old)
            self._past.take(minute, frontier)
            done.steps += self._follow(minute.start, happened, frontier, rules)
            if time.monotonic() > deadline:
                done.behind = minute.start != minutes[-1]
                break
        self._past.learned = False
        if not done.behind and not self._anew:
            done.behind = self._past.learn(self._read_only, frontier, rules, asked.now, deadline)
        if asked.prices is not None:
            done.requests = self._read_only.ask(self._dear.look, asked.prices, asked.request_usd, asked.now)
        learnt = (not self._stored and not done.behind) or self._past.learned
        anything = bool(minutes or done.steps or self._past.learned) and not self._anew
        done.saves = self._saves(everything=learnt, anything=anything)
        return done

    def finish(self) -> list[Known]:
        """Return all that is known, to be stored at the end."""
        return self._saves(everything=True, anything=True) if self._reader is not None else []

    def close(self) -> None:
        """Let go of the history."""
        if self._reader is not None:
            self._reader.close()

    @property
    def _read_only(self) -> Reader:
        assert self._reader is not None, "it has begun"
        return self._reader

    @property
    def newest(self) -> int:
        """The newest minute that it was given, 0 before the first."""
        return self._newest

    # Beginning

    def _begin(self, asked: Asked) -> None:
        self._reader = reader = Reader(self._where)
        self._figures.change(asked.rule, asked.zone)
        first, known = reader.ask(first_minute), [] if self._anew else reader.ask(read_watched)
        reader.ask(self._flows.look)
        for each in known:
            try:
                self._load(each)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                _log.warning("what was known of %s is learned again: %r", each.key, error)
        self._stored = {each.key for each in known}
        if EVERYTHING not in self._figures.scopes:
            self._learns_until = asked.closed
            # What was before it was recorded is learned beside: meters knew nothing of that.
            known_since = first if self._anew else reader.ask(first_covered)
            begin = max(known_since or asked.closed, asked.closed - LEARNS_SECONDS)
            self._figures.begin(begin - MINUTE)
        self._past.begin(reader, self._newest)
        self._newest = max(self._newest, *(each.fed for each in self._figures.scopes.values()))
        if _COMMON not in self._stored:
            used = reader.ask(used_by, asked.closed) if self._anew else None
            accounts = (each for number, each in self._flows.numbered() if used is None or number in used)
            self._novelties.begin(accounts, first or asked.closed)

    def _load(self, known: Known) -> None:
        content = json.loads(known.content)
        if known.key == _COMMON:
            self._timely = set(map(str, content["timely"]))
            self._told = {str(name): float(until) for name, until in content["told"].items()}
            self._flows.load(content["prices"])
            self._novelties.load(content["novelties"])
            self._dear.load(content["requests"])
            self.faults.load(content["faults"])
            self._newest = self._resumes_after = known.until
        elif known.key == HEARD:
            self._past.load(known.until, content)
        elif known.key.startswith(_SCOPE):
            scope = tuple((str(name), str(value)) for name, value in json.loads(known.key.removeprefix(_SCOPE)))
            self._figures.load(scope, known.until, content)

    # Going on

    def _frontier(self, asked: Asked) -> Frontier:
        """Return what is known up to when. A provider of before that has not told again yet is still waited for."""
        self._told |= asked.told
        if asked.sources is not None:
            self._told = {name: until for name, until in self._told.items() if name in asked.sources}
        self._timely |= {name for name, until in asked.told.items() if asked.now - until < TIMELY_SECONDS}
        self._timely -= {name for name, until in self._told.items() if asked.now - until > LOST_SECONDS}
        late = frozenset(self._told.keys() - self._timely)
        return Frontier(asked.closed, dict(self._told), late, asked.logs, asked.unread)

    def _rules_of(self, choices: Choices, late: frozenset[str]) -> Rules:
        if self._rules is None or self._rules[:2] != (choices, late):
            self._rules = choices, late, Rules(choices.counts, late)
        return self._rules[2]

    def _unseen(self, closed: int) -> set[int]:
        """Return the newest minute, where no scope may be given one: a new scope would not be found in it."""
        newest = closed - MINUTE
        return {newest} if newest > self._newest else set()

    def _read(self, minutes: Sequence[int], frontier: Frontier) -> Iterator[MinuteFlows]:
        for first, last in runs(minutes):
            for found in self._read_only.ask(self._flows.read, first, last + MINUTE, frontier.of_source):
                self._newest = max(self._newest, found.start)
                yield found

    def _follow(self, minute: int, happened: Iterable[Happened], frontier: Frontier, rules: Rules) -> list[Step]:
        self._ended |= {each.figure: each.incident for each in happened if each.incident.until is not None}
        # What faults were made of by then is known from before, and figures only catch up with it.
        if minute < self._learns_until - MINUTE or minute <= self._resumes_after:
            return []
        lasting = dict(self._figures.current())
        if self._learns_until:
            for figure, incident in lasting.items():
                if incident.opened < self._learns_until - TOLD_SECONDS:
                    self.faults.pass_over(figure, incident)
            self._learns_until = 0
        ended, self._ended = self._ended, {}
        if not (lasting or self.faults.all):
            return []

        around = self._around.at(self._read_only, self._newest, frontier, rules)

        def look(metric: str, since: float, until: float | None = None) -> Sequence[Moved]:
            return moved_by(metric, *around(metric, since, until))

        def own(figure: Figure, since: float) -> float:
            before, after = around(figure.metric, since, None)
            places = [each for each in {**before, **after} if is_in(each, figure.scope)]
            return own_share(figure.metric, ((before.get(each), after.get(each)) for each in places))

        steps = self.faults.follow(self._newest, lasting, ended, look, self._figures.history, own)
        return [each._replace(fault=replace(each.fault)) for each in steps]

    def _hear(self, wishes: Iterable[Wish]) -> list[Step]:
        steps = []
        for wish in wishes:
            for fault in self.faults.lasting:
                if fault.key == wish.key:
                    fault.state = wish.state
                    steps.append(Step(replace(fault)))
        return steps

    def _is_old(self, name: str, value: str, before: int) -> bool:
        """Say whether the ledger knows a value of a dimension from before a minute, of whichever source."""
        numbers = [each for each, account in self._flows.numbered() if dict(account.own()).get(name) == value]
        return self._read_only.ask(used_before, numbers, before)

    # Storing

    def _saves(self, *, everything: bool, anything: bool) -> list[Known]:
        if not anything:
            return []
        scopes = self._figures.scopes
        due = [each for each in scopes if everything or scopes[each].fed - scopes[each].saved >= _SAVED_SECONDS]
        due.sort(key=lambda each: scopes[each].saved)
        chosen = due if everything else list(dict.fromkeys([*self._figures.rebased, *due[:_SAVED_AT_ONCE]]))
        self._figures.rebased = set()
        saves = []
        for scope in chosen:
            if scope in scopes:
                scopes[scope].saved = scopes[scope].fed
                saves.append(Known(_key(scope), scopes[scope].fed, json.dumps(self._figures.dump(scope))))
        common = {
            "timely": sorted(self._timely),
            "told": self._told,
            "prices": self._flows.dump(),
            "novelties": self._novelties.dump(),
            "requests": self._dear.dump(),
            "faults": self.faults.dump(),
        }
        saves.append(Known(_COMMON, self._newest, json.dumps(common)))
        saves += self._past.save(self._newest, everything)
        gone = self._stored - {_key(each) for each in scopes} - {_COMMON, HEARD}
        self._stored = (self._stored - gone) | {each.key for each in saves}
        return [*saves, *(Known(key, 0, "") for key in sorted(gone))]


def _key(scope: object) -> str:
    return _SCOPE + json.dumps(scope)
