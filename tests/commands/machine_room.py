"""A machine whose engines come, go and move: real discovery, collectors, placement and ledger, on a made-up clock.

Processes, ports and what NVML says are the test's; the pages are recorded ones of vLLM with other counts in them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx
import pytest

from collectors import KINDS
from infertop.commands import roster
from infertop.commands.session import Session
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, SourceConfig, Unavailable
from infertop.engine.discovery import Discovery
from infertop.engine.http import Http
from infertop.engine.placement import Placement
from infertop.readings.model import Batch, Series
from tests.commands.runs import session, setup
from tests.engine.worlds import World
from tests.fakes import FakeClock, ScriptedCollector, batch_of
from tests.history.world import rows
from tests.recordings import PAYLOADS

BEGIN = 6_000_000 * 60.0
RECORDED = (PAYLOADS / "vllm/0.32.0_last.txt").read_text()
_COUNTS = {
    "vllm:prompt_tokens_total": "prompt",
    "vllm:prompt_tokens_cached_total": "cached",
    "vllm:generation_tokens_total": "output",
    "vllm:request_params_n_count": "requests",
}
_LINE = re.compile(r"^(vllm:[a-z_]+)(\{.*\}) \S+$")


@dataclass(frozen=True)
class Count:
    """What an engine, or a rank of it, has counted since it began."""

    prompt: int = 0
    cached: int = 0
    output: int = 0
    requests: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, each) + getattr(other, each) for each in _COUNTS.values()))

    def __mul__(self, times: int) -> Count:
        return Count(*(getattr(self, each) * times for each in _COUNTS.values()))


def page(model: str, started: float, *ranks: Count) -> str:
    """Return a recorded page on which these ranks serve this model since `started`."""
    lines: list[str] = []
    for line in RECORDED.replace("tiny-llama", model).splitlines():
        match = _LINE.match(line)
        if line.startswith("process_start_time_seconds "):
            lines.append(f"process_start_time_seconds {started}")
        elif match is None or 'engine="0"' not in line:
            lines.append(line)
        else:
            for rank, count in enumerate(ranks):
                labels = match[2].replace('engine="0"', f'engine="{rank}"')
                said = getattr(count, _COUNTS[match[1]]) if match[1] in _COUNTS else line.rsplit(" ", 1)[1]
                lines.append(f"{match[1]}{labels} {said}")
    return "\n".join(lines) + "\n"


@dataclass
class Engine:
    """A vLLM server that works: each second every rank of it counts `each` more."""

    room: Room
    port: int
    model: str
    started: float
    each: Count
    ranks: tuple[Count, ...]

    def work(self) -> None:
        self.ranks = tuple(rank + self.each for rank in self.ranks)
        self.room.pages[f"127.0.0.1:{self.port}"] = page(self.model, self.started, *self.ranks)


class Room:
    """The machine. `gpus` has, for each GPU by name, the pids on it with the bytes that they hold."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.world = World()
        self.pages: dict[str, str] = {}
        self.gpus: dict[str, dict[int, int]] = {}
        self.engines: dict[int, Engine] = {}

    def start(
        self,
        pid: int,
        port: int,
        model: str,
        each: Count = Count(100, 30, 40, 1),
        *,
        gpus: Mapping[str, int] | None = None,
        ranks: int = 1,
        served: str = "",
    ) -> Engine:
        """Start `vllm serve MODEL` with an engine core as pid + 1, which holds so many bytes of each GPU."""
        named = f" --served-model-name {served}" if served else ""
        self.world.start(pid, f"vllm serve {model}{named} --port {port}", port=port, started=self.clock.now())
        self.world.start(pid + 1, "VLLM::EngineCore", parent=pid, started=self.clock.now())
        for gpu, size in (gpus or {}).items():
            self.gpus.setdefault(gpu, {})[pid + 1] = size
        made = Engine(self, port, served.split(" ")[0] or model, self.clock.now(), each, (Count(),) * ranks)
        self.engines[pid] = made
        self.pages[f"127.0.0.1:{port}"] = page(made.model, made.started, *made.ranks)
        return made

    def stop(self, pid: int) -> None:
        engine = self.engines.pop(pid)
        del self.pages[f"127.0.0.1:{engine.port}"]
        self.world.stop(pid, pid + 1)
        for held in self.gpus.values():
            held.pop(pid + 1, None)

    def nvml(self, ts: float) -> Batch:
        said: list[tuple[Series, float]] = []
        for gpu in sorted(self.gpus):
            said += [
                (Series.of("gpu_info", gpu=gpu, name="NVIDIA H100 80GB HBM3", index=gpu[-1]), 1.0),
                (Series.of("gpu_utilization", gpu=gpu), 0.5),
                (Series.of("gpu_memory_used_bytes", gpu=gpu), float(sum(self.gpus[gpu].values()))),
            ]
            for pid, size in self.gpus[gpu].items():
                said.append((Series.of("gpu_process_memory_bytes", gpu=gpu, pid=str(pid)), float(size)))
        return Batch("nvml", ts, tuple(series for series, _ in said), tuple(value for _, value in said))

    def collector(self, config: SourceConfig, clock: Clock) -> Collector:
        if config.kind in ("nvml", "host"):
            says = self.nvml if config.kind == "nvml" else partial(batch_of, "host", {})
            made = ScriptedCollector(config.name, [says], kind=config.kind)
            made.config = config
            return made
        http = Http(config.url, transport=httpx.MockTransport(self.answer))
        return KINDS[config.kind].make(config, http, clock)

    def answer(self, request: httpx.Request) -> httpx.Response:
        text = self.pages.get(request.url.netloc.decode()) if request.url.path == "/metrics" else None
        if request.url.netloc.decode() not in self.pages:
            raise httpx.ConnectError("refused")
        return httpx.Response(200 if text else 404, text=text or "")

    async def probe(self, url: str) -> tuple[int, Mapping[str, str], bytes]:
        authority, _, path = url.removeprefix("http://").partition("/")
        if authority not in self.pages:
            raise Unavailable("connection refused")
        return (200, {}, self.pages[authority].encode()) if path == "metrics" else (404, {}, b"")

    async def tls(self, host: str, port: int) -> bool:
        return False


class Run:
    """infertop in that machine."""

    def __init__(self, room: Room, made: Session) -> None:
        self.room = room
        self.session = made

    async def poll(self, seconds: int) -> None:
        """Let time pass: each second the engines work and are read, every tenth they are looked for."""
        for _ in range(seconds):
            self.room.clock.jump(1)
            for engine in self.room.engines.values():
                engine.work()
            await self.session.polling.poll_once_all(1)
        await self.look()

    async def look(self) -> None:
        """Look for engines, and read what is new for the first time."""
        assert self.session.finding is not None
        before = set(self.session.polling.names)
        await self.session.finding.look()
        await self.session.polling.poll_once_all(1, set(self.session.polling.names) - before)
        await self.settle()

    async def settle(self) -> None:
        assert self.session.recorder is not None
        assert self.session.recorder.flush()
        await self.session.tick()
        assert self.session.recorder.flush()

    def ledger(self, resource: str = "") -> dict[tuple[str, str | None], Counter[str]]:
        """Return by (source, model) the quantities by resource."""
        found: dict[tuple[str, str | None], Counter[str]] = {}
        query = "SELECT source, model, resource, quantity FROM lines JOIN accounts ON accounts.id = account"
        for source, model, what, quantity in rows(self.session.setup.database, query):
            found.setdefault((source, model), Counter())[what] += quantity
        return found

    def nano(self) -> dict[tuple[str, str | None], int]:
        """Return by (source, model) what it cost, in 1e-9 USD."""
        found: Counter[tuple[str, str | None]] = Counter()
        query = "SELECT source, model, usd_nano FROM lines JOIN accounts ON accounts.id = account WHERE usd_nano"
        for source, model, usd in rows(self.session.setup.database, query):
            found[source, model] += usd
        return dict(found)


def quantities(each: Count, times: int) -> dict[str, int]:
    """Return what a ledger has of so many times these counts."""
    total = each * times
    return {
        "input": total.prompt - total.cached,
        "cache_read": total.cached,
        "output": total.output,
        "requests": total.requests,
    }


@asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch, folder: Path, pricing: str, room: Room, gpus: Sequence[str] = ()
) -> AsyncIterator[Run]:
    """Run infertop in the room, with nothing configured but prices, until the block ends."""
    path = folder / "pricing.toml"
    path.write_text(pricing)
    monkeypatch.setattr(roster, "collector", room.collector)
    monkeypatch.setattr(roster, "Placement", partial(Placement, look=room.world.scan))
    for gpu in gpus:
        room.gpus.setdefault(gpu, {})
    patterns = [kind.server for kind in KINDS.values() if kind.server]
    async with session(replace(setup(path, room.clock), discover=True), memory=False) as made:
        assert made.finding is not None
        before = made.finding._discovery
        before.close()
        made.finding._discovery = Discovery(
            patterns, probe=room.probe, tls=room.tls, look=room.world.scan, remembered=before.named, own_pid=-1
        )
        yield Run(room, made)
