"""Prometheus, and what answers as it does: Thanos, Mimir, VictoriaMetrics. One query reads a whole fleet.

Wire format: prometheus.io/docs/prometheus/latest/querying/api. What decides how it is asked:

- A range selector as an instant query (`{...}[40s]`) gives every sample with the time at which it was scraped. So rates
  are over real times, a target that was not scraped again says nothing new, and an outage of minutes leaves no hole.
  An instant vector has the time of the question instead, and `timestamp()` would have to be joined to it by labels.
- The series of a target are put back into the page that they were scraped from, and read by the collector of its kind.
- Names that anybody uses (`http_requests_total`) are asked for in the jobs alone in which engines were found. These are
  looked for at first with every question, as a Prometheus that has just started has not scraped all of them yet, then
  ever more rarely, down to every two minutes.
- Where names are matched only exactly (Google's Managed Service for Prometheus), see _prometheus_exact.py.
- The question is a POST, as names fill kilobytes; where only GET is allowed it is a GET.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collectors import triton
from collectors._page import needed, shown, text_options
from collectors._prometheus_answer import Answer, Outcome, Take, names_in
from collectors._prometheus_exact import present, union
from collectors._prometheus_fleet import Fleet
from collectors._prometheus_labels import parsed
from collectors._prometheus_query import checked_match, selector
from collectors._prometheus_systems import counted, telling, wanted
from collectors.kind import Kind
from infertop.engine.clock import Clock
from infertop.engine.collector import Option, SourceConfig, Unavailable
from infertop.readings.model import Batch, Member
from infertop.readings.safe import safe

if TYPE_CHECKING:
    from infertop.engine.http import Http

OPTIONS = (
    Option("match", """a label selector for what is read, such as 'cluster="prod"'"""),
    Option("tenant", "the tenant of Mimir or Cortex (X-Scope-OrgID)"),
    *(Option(each.name, f"of Triton's targets: {each.help}") for each in triton.OPTIONS),
)
_REFRESH_SECONDS = 15.0
_FIRST_SECONDS = 150.0
_LONGEST_SECONDS = 600.0
_LOOKBACK_SECONDS = 330.0
_DISCOVER_SECONDS = 120.0
_MOST_SPACING_SECONDS = 5.0
_NOT_BY_POST = (403, 404, 405, 501)
_MOST_PROBLEMS = 3


class Prometheus:
    """Reads one backend; raises ValueError where an option is wrong."""

    kind = "prometheus"

    def __init__(self, config: SourceConfig, http: Http, clock: Clock) -> None:
        self.config = config
        self._http = http
        path = urlsplit(config.url).path.rstrip("/")
        self._api = "" if path.endswith("/api/v1") else "api/v1/"
        self._where = shown(config.url)
        options = text_options(config, tuple(option.name for option in OPTIONS))
        self._match = checked_match(options["match"]) if "match" in options else ""
        self._headers = {"X-Scope-OrgID": _tenant(options["tenant"])} if "tenant" in options else {}
        own = {option.name: options[option.name] for option in triton.OPTIONS if option.name in options}
        self._names = wanted() | frozenset(own.values())
        self.fleet = Fleet(config.name, (urlsplit(config.url).hostname or "").lower(), clock, own)
        self._jobs: frozenset[str] = frozenset()
        self._discover_at, self._discover_seconds = 0.0, config.interval_seconds
        self._answered: float | None = None
        self._by_post = True
        self._exact = (urlsplit(config.url).hostname or "").endswith("googleapis.com")
        self._there: frozenset[str] = frozenset()

    async def collect(self, ts: float) -> Batch:
        """Ask once for all targets, and now and then for where engines are."""
        if not self._jobs or ts >= self._discover_at:
            self._jobs = await self._discover(ts)
            self._discover_at = ts + self._discover_seconds
            self._discover_seconds = min(2 * self._discover_seconds, _DISCOVER_SECONDS)
        self.fleet.begin()
        query = self._union(self._names, times=True) if self._exact else f"{self._selector}[{self._span(ts)}s]"
        outcome = await self.ask("query", self.fleet.take, query=query, time=f"{ts:.3f}")
        if outcome.kind != ("vector" if self._exact else "matrix"):
            raise Unavailable(f"{self._where} answers a range selector with something else: is it a Prometheus API?")
        spacing = min(self.config.interval_seconds / 3, _MOST_SPACING_SECONDS)
        members = await self.fleet.members(ts, self.config.interval_seconds, spacing)
        self._answered = ts
        notes = (*_summary(self._where, members), *outcome.notes, *self._oddities(outcome))
        rejected, named = outcome.rejected + self.fleet.odd, self.fleet.newly_named()
        return Batch(self.config.name, ts, (), (), notes=notes, rejected=rejected, members=members, bookmarks=named)

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Call targets what they were called before."""
        self.fleet.call(bookmarks)

    async def recall(self, since: float, until: float, step: int) -> tuple[Member, ...]:
        """Return what the targets counted, at each `step` seconds from `since` to `until`; raise Unavailable."""
        fleet = self.fleet.past()
        fleet.begin()
        names = counted() | (self._names - wanted())
        query = self._union(names, times=False) if self._exact else selector(names, self._match, self._jobs)
        times = {"start": f"{since:.3f}", "end": f"{until:.3f}", "step": str(step)}
        await self.ask("query_range", fleet.take, query=query, **times)
        return await fleet.members(until + _LONGEST_SECONDS, float(step))

    async def ask(self, what: str, take: Take, **params: str) -> Outcome:
        """Ask the API and hand each series on; raise Unavailable where there is no good answer."""
        if self._by_post:
            answer = Answer(self._where, take)
            reply = await self._http.sifted(
                self._api + what, answer.feed, form=params, headers=self._headers, accept_status=_NOT_BY_POST
            )
            if reply.status < 300:
                return answer.finish()
        answer = Answer(self._where, take)
        await self._http.sifted(self._api + what, answer.feed, params, headers=self._headers)
        self._by_post = False
        return answer.finish()

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    @property
    def _selector(self) -> str:
        return selector(self._names, self._match, self._jobs)

    def _union(self, names: Iterable[str], *, times: bool) -> str:
        # A question has to ask for something: that of nothing is for a name that nobody has.
        return union(present(self._there, names) or {"infertop_nothing"}, self._match, times=times)

    async def _discover(self, ts: float) -> frozenset[str]:
        """Return the jobs in which there are engines, and note which of the names there are at all."""
        if self._exact:
            reply = await self._http.get(f"{self._api}label/__name__/values", headers=self._headers)
            self._there = present(names_in(reply.body), self._names)
            return frozenset({""} if self._there else ())
        jobs: set[str] = set()

        def take(labels: bytes, _points: bytes) -> None:
            found = parsed(labels, nameless=True)
            if found is not None:
                jobs.add(found.get("job", ""))

        await self.ask("query", take, query=f"count by (job) ({selector(telling(), self._match)})", time=f"{ts:.3f}")
        return frozenset(jobs)

    def _span(self, ts: float) -> int:
        """Return how far back to ask: to the last answer, and so far before that every target was scraped once."""
        if self._answered is None:
            return int(_FIRST_SECONDS)
        slowest = max((each.interval or 0.0 for each in self.fleet.targets), default=0.0) or _FIRST_SECONDS
        slowest = min(slowest, _LOOKBACK_SECONDS)
        return int(min(ts - self._answered + slowest * 1.5 + 5.0, _LONGEST_SECONDS))

    def _oddities(self, outcome: Outcome) -> list[str]:
        said = []
        if count := outcome.rejected + self.fleet.odd:
            said.append(f"{count} series could not be read")
        if self.fleet.beyond:
            said.append(f"{self.fleet.beyond} series are beyond what can be kept: narrow them down with match")
        problems = [each.problem for each in self.fleet.targets if each.problem and each.points is not None]
        return said + problems[:_MOST_PROBLEMS]


def _summary(where: str, members: tuple[Member, ...]) -> list[str]:
    if not members:
        return [f"{where} answers, and has no engine's or GPU's metrics: are they scraped, and is match right?"]
    kinds: dict[str, int] = {}
    for each in members:
        kinds[each.kind] = kinds.get(each.kind, 0) + 1
    return [f"{len(members)} targets: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) + "."]


def _tenant(text: str) -> str:
    if not all("!" <= ch <= "~" for ch in text):
        raise ValueError(f"tenant {safe(text, 40)} must be plain characters without blanks")
    return text


KIND = Kind(
    name="prometheus",
    help="a whole fleet's engines and GPUs, by one query of Prometheus, Thanos, Mimir or VictoriaMetrics",
    make=lambda config, http, clock: Prometheus(config, needed(config, http), clock),
    options=OPTIONS,
    least_seconds=_REFRESH_SECONDS,
    fleet=True,
)
