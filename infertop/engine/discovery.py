"""Finding this machine's engines: by GPU processes, ports, commands and containers, confirmed by what they answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

from infertop.engine.asking import Answer, Outcome, Probe, Tls, ask, http_probe, speaks_tls
from infertop.engine.candidate import Server
from infertop.engine.candidates import Candidate, Candidates, Key, candidates
from infertop.engine.containers import Container
from infertop.engine.docker import Docker
from infertop.engine.found import Discovered, Found, Searched
from infertop.engine.in_containers import is_engine_container
from infertop.engine.machine import Machine
from infertop.engine.pattern import Pattern, Patterns
from infertop.engine.processes import Scan
from infertop.engine.search_report import report
from infertop.engine.taken import Taken
from infertop.engine.worker import Stuck, Worker

__all__ = ["Answer", "Discovered", "Discovery", "Found", "Probe", "Searched", "http_probe"]

_SCAN_SECONDS = 5.0
_AT_ONCE = 8
# A look lasts so long at most, as somebody may wait for the first; asking itself has the least at least.
_LOOK_SECONDS = 2.5
_LEAST_SECONDS = 1.0
_EAGER = 150
_MOST_NAMED = 500


class Discovery:
    """Looks for engines every now and then, and remembers what it asked and how it named what it found.

    `remembered` are engines of an earlier run, whose names live on. `environ` says where Docker's socket is; None asks
    no socket. `own_pid` is the process that is never asked: this one, unless another machine is looked at. `tls` says
    whether a port speaks TLS; without it that is not looked at where another `probe` asks.
    """

    def __init__(
        self,
        patterns: Sequence[Pattern],
        *,
        probe: Probe = http_probe,
        tls: Tls | None = None,
        look: Callable[[], Scan] | None = None,
        remembered: Iterable[Found] = (),
        environ: Mapping[str, str] | None = None,
        own_pid: int | None = None,
    ) -> None:
        self._patterns = Patterns(patterns)
        self._probe = probe
        self._tls = tls or (speaks_tls if probe is http_probe else None)
        self._own_pid = os.getpid() if own_pid is None else own_pid
        self._scan = look or Machine().scan
        self._worker = Worker("discovery")
        self._docker = Docker(environ, self._is_engine) if environ is not None else None
        self._outcomes: dict[Key, Outcome] = {}
        self._named = {each.name: each for each in remembered}

    async def look(self, gpu_processes: Mapping[int, Sequence[str]], configured: Iterable[str] = ()) -> Discovered:
        """Look once. `gpu_processes` are the GPUs of each process; ports of the `configured` URLs are left out."""
        began, urls = asyncio.get_running_loop().time(), tuple(configured)
        containers = await self._docker.look() if self._docker else ()
        try:
            survey, places = await self._worker.call(
                partial(self._survey, gpu_processes, urls, containers), _SCAN_SECONDS
            )
        except Stuck as stuck:
            sentence = f"processes and ports could not be listed within {stuck.seconds:.0f} s"
            return Discovered(self._present(), (Searched("engines", "processes and ports", False, sentence),))
        await places.ask(self._probe)
        ports = [each for each in survey.ports if not places.has(each)]
        self._outcomes = {each.key: self._outcomes.get(each.key, Outcome()) for each in ports}
        left = max(_LEAST_SECONDS, _LOOK_SECONDS - (asyncio.get_running_loop().time() - began))
        await self._ask_all([each for each in ports if not self._outcomes[each.key].settled], left)
        self._refresh(ports, survey.servers)
        present = self._present()
        said = report(ports, self._outcomes, present, survey, places.left_out)
        return Discovered(present, (*said, *((self._docker.searched,) if self._docker else ())))

    def remember(self, engines: Iterable[Found]) -> None:
        """Know these engines again: their names live on."""
        self._named |= {each.name: each for each in engines if each.name not in self._named}

    def close(self) -> None:
        """Let the thread end."""
        self._worker.close()

    @property
    def loading(self) -> bool:
        """Whether something was seen that does not answer yet, and not so often that it may never do."""
        waited = (each for each in self._outcomes.values() if each.found is None and not each.settled)
        return any(each.tries < _EAGER for each in waited)

    def _is_engine(self, container: Container) -> bool:
        return is_engine_container(container, self._patterns)

    def _survey(
        self, gpu_processes: Mapping[int, Sequence[str]], configured: Sequence[str], containers: Sequence[Container]
    ) -> tuple[Candidates, Taken]:
        now = self._scan()
        return candidates(now, self._patterns, gpu_processes, self._own_pid, containers), Taken(now, configured)

    async def _ask_all(self, ports: Sequence[Candidate], seconds: float) -> None:
        """Ask, those first where an engine is expected; what is not asked within `seconds` is left to the next look."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def gated(each: Candidate) -> None:
            async with gate:
                await ask(each, self._outcomes[each.key], self._probe, self._tls)

        first = sorted(ports, key=lambda each: (not each.expected, self._outcomes[each.key].tries))
        tasks = [asyncio.create_task(gated(each)) for each in first]
        if tasks:
            done, left = await asyncio.wait(tasks, timeout=seconds)
            for each in left:
                each.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in done:
                task.result()  # a bug is loud

    def _refresh(self, ports: Sequence[Candidate], servers: Sequence[Server]) -> None:
        """Bring the GPUs of the engines up to date, and name the new ones once all that stayed are known."""
        read = {outcome.found.pid for outcome in self._outcomes.values() if outcome.found is not None}
        unread = [each for each in servers if each.process.pid not in read]
        for each in ports:
            outcome = self._outcomes[each.key]
            if (found := outcome.found) is not None:
                fronts = next((own.fronts for own in self._patterns if own.kind == found.kind), ())
                workers = [server for server in unread if server.pattern.kind in fronts]
                gpus = each.gpus or tuple(sorted({gpu for server in workers for gpu in server.gpus}))
                pids = tuple(server.process.pid for server in workers)
                outcome.found = replace(found, gpus=gpus or found.gpus, workers=pids)
        for naming in (self._as_before, self._as_moved, self._as_new):
            for outcome in self._outcomes.values():
                new = outcome.found
                if new is not None and not new.name and not self._is_here(new) and (name := naming(new)):
                    outcome.found = replace(new, name=name)
        for outcome in self._outcomes.values():
            if outcome.found is not None and outcome.found.name:
                self._named.pop(outcome.found.name, None)
                self._named[outcome.found.name] = outcome.found
        for name in list(self._named)[:-_MOST_NAMED]:
            del self._named[name]  # those that are here are the last

    @property
    def named(self) -> tuple[Found, ...]:
        """All engines that were found so far, and what is remembered, the newest last."""
        return tuple(self._named.values())

    def _as_before(self, new: Found) -> str:
        """Return the id of the engine that was last seen at this very address, where it may be the same."""
        taken = self._taken()
        known = (old for old in self._named.values() if (old.kind, old.url) == (new.kind, new.url))
        return next((old.name for old in known if old.name not in taken and not _differs(old, new)), "")

    def _as_moved(self, new: Found) -> str:
        """Return the id of a vanished engine that this one continues."""
        taken = self._taken()
        return next((old.name for old in self._named.values() if old.name not in taken and _continues(old, new)), "")

    def _as_new(self, new: Found) -> str:
        """Return an id of its kind and address: also that of one that served another model there."""
        taken, natural = self._taken(), _natural(new)
        if natural not in taken:
            return natural
        return next(name for n in count(2) if (name := f"{natural}#{n}") not in taken)

    def _is_here(self, new: Found) -> bool:
        """Say whether this is another port of an engine that has its name already."""
        return new.pid is not None and any((each.kind, each.pid) == (new.kind, new.pid) for each in self._present())

    def _taken(self) -> set[str]:
        return {each.name for each in self._present()}

    def _present(self) -> tuple[Found, ...]:
        """Return the named engines that are here, one for each process and kind: a server can answer on two ports."""
        unique: dict[object, Found] = {}
        for outcome in self._outcomes.values():
            found = outcome.found
            if found is not None and found.name:
                unique.setdefault((found.kind, found.pid) if found.pid is not None else found.url, found)
        return tuple(unique.values())


def _natural(new: Found) -> str:
    return f"{new.kind}@{new.url.removeprefix('http://')}"


def _differs(old: Found, new: Found) -> bool:
    return old.model is not None and new.model is not None and old.model != new.model


def _continues(old: Found, new: Found) -> bool:
    """Say whether `new` is `old` on another port: the same kind, and the same model and GPUs as far as known."""
    if old.kind != new.kind:
        return False
    if old.model is None or new.model is None:
        return bool(old.gpus) and old.gpus == new.gpus
    return old.model == new.model and (not old.gpus or not new.gpus or old.gpus == new.gpus)
