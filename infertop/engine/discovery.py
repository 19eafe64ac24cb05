"""Finding this machine's engines: by GPU processes and ports, recognised by command, confirmed by endpoint.

Only ports that may be an engine's are asked, with a GET and a short deadline. An answer settles a port for as long as
the same process listens there; without an answer it is asked three times at most, unless its command is an engine's,
which may still be loading.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from urllib.parse import urlsplit

from infertop.engine.candidates import Candidate, Candidates, Key, candidates
from infertop.engine.collector import Unavailable
from infertop.engine.http import Http
from infertop.engine.pattern import Pattern
from infertop.engine.processes import Scan, scan
from infertop.engine.worker import Stuck, Worker

_SCAN_SECONDS = 5.0
_PROBE_SECONDS = 2.0
_PROBE_BYTES = 4 * 2**20
_AT_ONCE = 8
_TRIES = 3
_KEY_WANTED = "it asks for a key: name it in a [[source]] with its url and key_env"

Answer = tuple[int, Mapping[str, str], bytes]
Probe = Callable[[str], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Found:
    """An engine on this machine that answered. `name` is its stable source id, `url` the base of its endpoint.

    `pid` is its server process and `gpus` the UUIDs its processes are on, as far as both are known. `detail` is a
    sentence where something is odd (it asks for a key), else empty.
    """

    name: str
    kind: str
    url: str
    pid: int | None = None
    model: str | None = None
    gpus: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """One thing that was looked for: what, where, whether it was found, and what is known or to be done about it."""

    what: str
    where: str
    found: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What one look found: the engines that are here now, and the report of the search."""

    found: tuple[Found, ...]
    searched: tuple[Searched, ...]


@dataclass(slots=True)
class _Outcome:
    """What asking a port brought: the engine, or how often it was asked in vain and whether it is settled."""

    found: Found | None = None
    settled: bool = False
    tries: int = 0


async def http_probe(url: str) -> Answer:
    """Ask a URL of this machine once: (status, headers, body); raise `Unavailable` where no HTTP comes back."""
    parts = urlsplit(url)
    http = Http(f"{parts.scheme}://{parts.netloc}", timeout_seconds=_PROBE_SECONDS, max_bytes=_PROBE_BYTES)
    try:
        reply = await http.get(parts.path, accept_status=range(100, 600))
    finally:
        await http.close()
    return reply.status, reply.headers, reply.body


class Discovery:
    """Looks for engines every now and then, and remembers what it asked and how it named what it found.

    `remembered` are engines of an earlier run, whose names live on.
    """

    def __init__(
        self,
        patterns: Sequence[Pattern],
        *,
        probe: Probe = http_probe,
        look: Callable[[], Scan] = scan,
        remembered: Iterable[Found] = (),
    ) -> None:
        self._patterns = tuple(patterns)
        self._probe = probe
        self._scan = look
        self._worker = Worker("discovery")
        self._outcomes: dict[Key, _Outcome] = {}
        self._named = {each.name: each for each in remembered}

    async def look(self, gpu_processes: Mapping[int, Sequence[str]], configured: Iterable[str] = ()) -> Discovered:
        """Look once. `gpu_processes` are the GPUs of each process; ports of the `configured` URLs are left out."""
        urls = tuple(configured)
        try:
            survey, taken = await self._worker.call(partial(self._survey, gpu_processes, urls), _SCAN_SECONDS)
        except Stuck as stuck:
            sentence = f"processes and ports could not be listed within {stuck.seconds:.0f} s"
            return Discovered(self._present(), (Searched("engines", "processes and ports", False, sentence),))
        ports = [each for each in survey.ports if each.port not in taken]
        self._outcomes = {each.key: self._outcomes.get(each.key, _Outcome()) for each in ports}
        await self._ask_all([each for each in ports if not self._outcomes[each.key].settled])
        self._refresh(ports)
        return Discovered(self._present(), tuple(self._report(ports, survey)))

    def close(self) -> None:
        """Let the thread end."""
        self._worker.close()

    def _survey(
        self, gpu_processes: Mapping[int, Sequence[str]], configured: Sequence[str]
    ) -> tuple[Candidates, frozenset[int]]:
        now = self._scan()
        taken = frozenset(port for url in configured if (port := now.port_here(url)) is not None)
        return candidates(now, self._patterns, gpu_processes, os.getpid()), taken

    async def _ask_all(self, ports: Sequence[Candidate]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def gated(each: Candidate) -> None:
            async with gate:
                await self._ask(each, self._outcomes[each.key])

        await asyncio.gather(*(gated(each) for each in ports))

    async def _ask(self, candidate: Candidate, outcome: _Outcome) -> None:
        base = f"http://{candidate.key.authority}"
        outcome.tries += 1
        final = True
        for path in dict.fromkeys(path for pattern in candidate.patterns for path in pattern.probe_paths):
            try:
                async with asyncio.timeout(_PROBE_SECONDS):
                    status, headers, body = await self._probe(base + path)
            except (Unavailable, OSError):
                final = False
                break
            for pattern in candidate.patterns:
                if path in pattern.probe_paths and pattern.confirm(status, headers, body):
                    outcome.found, outcome.settled = _found(candidate, pattern, base), True
                    return
            if candidate.expected and status in (401, 403):
                outcome.found = _found(candidate, candidate.patterns[0], base, _KEY_WANTED)
            final = final and status < 500
        outcome.settled = final or (outcome.tries >= _TRIES and not candidate.expected)

    def _refresh(self, ports: Sequence[Candidate]) -> None:
        """Bring the GPUs of the engines up to date, and name the new ones once all that stayed are known."""
        for each in ports:
            outcome = self._outcomes[each.key]
            if outcome.found is not None:
                outcome.found = replace(outcome.found, gpus=each.gpus or outcome.found.gpus)
        for outcome in self._outcomes.values():
            if outcome.found is not None:
                if not outcome.found.name:
                    outcome.found = replace(outcome.found, name=self._name(outcome.found))
                self._named[outcome.found.name] = outcome.found

    def _name(self, new: Found) -> str:
        """Return the id of a new engine: its kind and address, or the id of a vanished one that it continues."""
        taken = {each.name for each in self._present()}
        natural = f"{new.kind}@{new.url.removeprefix('http://')}"
        if natural in taken:
            return next(name for n in count(2) if (name := f"{natural}#{n}") not in taken)
        if natural not in self._named:
            for old in self._named.values():
                if old.name not in taken and _continues(old, new):
                    return old.name
        return natural

    def _present(self) -> tuple[Found, ...]:
        """Return the named engines that are here, one for each process and kind: a server can answer on two ports."""
        unique: dict[object, Found] = {}
        for outcome in self._outcomes.values():
            found = outcome.found
            if found is not None and found.name:
                unique.setdefault((found.kind, found.pid) if found.pid is not None else found.url, found)
        return tuple(unique.values())

    def _report(self, ports: Sequence[Candidate], survey: Candidates) -> Iterable[Searched]:
        present = self._present()
        where = f"listening ports: {survey.listeners}, processes: {survey.processes}"
        if survey.listeners is None:
            where = "the usual ports, as ports cannot be listed here"
        advice = "" if present else "start one, or name it: --source KIND=URL"
        yield Searched("engines", where, bool(present), advice)
        for found in present:
            yield Searched(found.kind, found.url, True, found.detail or found.model or "")
        for each in ports:
            outcome = self._outcomes[each.key]
            if each.expected and outcome.found is None:
                silent = "answers, but not like one" if outcome.settled else "does not answer yet"
                detail = f"process {each.key.pid} runs, and this address {silent}"
                yield Searched(each.patterns[0].kind, f"http://{each.key.authority}", False, detail)


def _found(candidate: Candidate, pattern: Pattern, base: str, detail: str = "") -> Found:
    return Found("", pattern.kind, base, candidate.key.pid, candidate.model, candidate.gpus, detail)


def _continues(old: Found, new: Found) -> bool:
    """Say whether `new` is `old` on another port: the same kind, and the same model and GPUs as far as known."""
    if old.kind != new.kind:
        return False
    if old.model is None or new.model is None:
        return bool(old.gpus) and old.gpus == new.gpus
    return old.model == new.model and (not old.gpus or not new.gpus or old.gpus == new.gpus)
