"""What reading agents' logs costs: a long history for the first time, and following it afterwards.

    python benchmarks/agents.py [--gigabytes 1] [--keep FOLDER]      exits with 1 where a target is missed

Logs of Claude Code are made up, always the same ones: 500 sessions of ten projects over a month, each answer a few
lines that repeat its usage, between them what tools found, some of it megabytes long: most bytes are content. They are
read by the collector alone, and by everything: collector, writer, ledger, a database on disk, as `infertop record`
does. Then 10,000 more files that nobody writes lie beside, and two sessions are written while they are followed.
Targets: 50 MB/s; half a thousandth of a core while nothing is written. The peer in the same minutes is reading the
same bytes and splitting them into lines, and `json.loads` of every line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import figure, heading
from benchmarks.screen import INFERTOP
from collectors import KINDS
from collectors._agent_logs import LEAST_SECONDS, AgentLogs
from infertop.engine.clock import SystemClock
from infertop.engine.collector import SourceConfig

NOW = 1_790_000_000.0
SESSIONS, PROJECTS, DAYS, IDLE_FILES, LOOKS = 500, 10, 30, 10_000, 400
_TEXT = r"def return self import the of and value error file line test assert None True path open read \" \n"
_WORDS = _TEXT.split()


def write_logs(folder: Path, total: int) -> int:
    """Write logs of about so many bytes; return how many answers they tell of."""
    chance = random.Random(7)
    prose = " ".join(chance.choice(_WORDS) for _ in range(400_000))
    answers = 0
    for session in range(SESSIONS):
        home = folder / f"-home-me-project-{session % PROJECTS}"
        home.mkdir(parents=True, exist_ok=True)
        at = NOW - DAYS * 86400 * (1 - session / SESSIONS)
        with (home / f"{session:08x}-0000-4000-8000-000000000000.jsonl").open("w") as file:
            while file.tell() < total // SESSIONS:
                answers += 1
                at += chance.expovariate(1 / 20)
                file.writelines(_answer(chance, prose, session, answers, at))
        os.utime(file.name, (at, at))
    return answers


def _answer(chance: random.Random, prose: str, session: int, number: int, at: float) -> list[str]:
    """Return the lines of one answer, told two or three times, and of what a tool found."""

    def content(size: int) -> str:
        start = prose.index(" ", chance.randrange(len(prose) - 200_000)) + 1  # words are whole: some are escapes
        text = prose[start : start + min(size, 100_000)].rpartition(" ")[0]
        return text * max(1, size // 100_000)

    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    whose = f'"sessionId":"{session:08x}-0000-4000-8000-000000000000","cwd":"/home/me/project-{session % PROJECTS}"'
    head = f'{whose},"version":"2.1.0"'
    usage = {
        "input_tokens": chance.randrange(1, 20),
        "cache_creation_input_tokens": chance.randrange(100, 9000),
        "cache_read_input_tokens": chance.randrange(10_000, 150_000),
        "service_tier": "standard",
    }
    model = chance.choice(("claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5"))
    lines, output = [], chance.randrange(1, 20)
    for block in range(chance.randrange(2, 4)):
        output += chance.randrange(0, 900)
        told = json.dumps(usage | {"output_tokens": output}, separators=(",", ":"))
        lines.append(
            f'{{"type":"assistant","timestamp":"{stamp}",{head},"requestId":"req_{number}","isSidechain":false,'
            f'"message":{{"id":"msg_{number:024}","role":"assistant","model":"{model}","content":[{{"type":"text","text":'
            f'"{content(chance.randrange(200, 3000))}"}}],"usage":{told}}},"uuid":"{number}-{block}"}}\n'
        )
    size = int(min(chance.paretovariate(1.1) * 3000, 4_000_000))
    lines.append(
        f'{{"type":"user","timestamp":"{stamp}",{head},"message":{{"role":"user","content":[{{"type":"tool_result",'
        f'"content":"{content(size)}"}}]}},"toolUseResult":{{"stdout":"{content(size // 4)}"}},"uuid":"{number}-u"}}\n'
    )
    return lines


def collector(folder: Path) -> AgentLogs:
    """Return a collector of a folder."""
    config = SourceConfig("claude-code", "claude-code", options={"folders": [str(folder)]})
    made = KINDS["claude-code"].make(config, None, SystemClock())
    assert isinstance(made, AgentLogs)
    return made


def peers(files: Sequence[Path]) -> tuple[float, float]:
    """Return the seconds of CPU that splitting into lines takes, and parsing every line."""
    began = time.process_time()
    for path in files:
        path.read_bytes().split(b"\n")
    split = time.process_time() - began
    began = time.process_time()
    for path in files[::10]:
        for line in path.read_bytes().splitlines():
            json.loads(line)
    return split, 10 * (time.process_time() - began)


async def first_reading(folder: Path, total: int, answers: int) -> bool:
    """Read by the collector alone, poll after poll without waiting."""
    read, statements, polls = collector(folder), 0, 0
    clock, cpu = time.monotonic(), time.process_time()
    while True:
        batch = await read.collect(NOW + polls)
        polls += 1
        statements += len(batch.statements)
        if not batch.bookmarks and not read._pending:
            break
    clock, cpu = time.monotonic() - clock, time.process_time() - cpu
    await read.close()
    good = figure("answers told once, of those in the logs", statements / answers, "", least=1.0)
    figure("first reading, collector alone", total / 1e6 / clock, "MB/s")
    return good & figure("first reading, collector alone, of CPU", total / 1e6 / cpu, "MB/s", least=50)


def recorded(folder: Path, home: Path, total: int, answers: int) -> bool:
    """Read by `infertop record`, at its own pace, until the database has every answer."""
    (home / "pricing.toml").write_text(f'[[source]]\nkind = "claude-code"\nfolders = ["{folder}"]\ninterval = 2\n')
    database = home / "infertop.db"
    command = [*INFERTOP, "record", "--no-discovery", "--db", str(database)]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, "--pricing", str(home / "pricing.toml")], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as run:
        try:
            while (told := _stored(database)) < answers and time.monotonic() - began < 120 and run.poll() is None:
                time.sleep(0.2)
            clock, cpu, memory = time.monotonic() - began, _cpu(run.pid), _memory(run.pid)
        finally:
            run.terminate()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    figure("whole program: answers in the database", told, "")
    figure("first reading, whole program", total / 1e6 / clock, "MB/s")
    good = figure("first reading, whole program, of CPU", total / 1e6 / cpu, "MB/s", least=50)
    figure("first reading, whole program: share of a core", cpu / clock * 100, "%")
    good &= figure("first reading, whole program: memory", memory / 1e6, "MB", 150)
    return good & figure("database for a GB of logs", database.stat().st_size / 1e6 * 1e9 / total, "MB", 100)


def _stored(database: Path) -> int:
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM statements").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024


async def following(folder: Path) -> bool:
    """Follow what is there and 10,000 files more, first while nobody writes, then while two sessions are written."""
    for number in range(IDLE_FILES):
        home = folder / f"-home-me-old-{number // 100}"
        home.mkdir(exist_ok=True)
        path = home / f"{number}.jsonl"
        path.write_text('{"type":"summary","summary":"none"}\n')
        os.utime(path, (NOW - 30 * 86400, NOW - 30 * 86400))
    read, now = collector(folder), time.time() + 10
    while (await read.collect(now)).bookmarks or read._pending:
        now += 1
    idle = await _looks(read, now, lambda: None)
    good = figure(f"a look at {IDLE_FILES + SESSIONS} files that nobody writes: CPU", idle * 1000, "ms", 1.0)
    good &= figure("following them every 2 s: CPU", idle / LEAST_SECONDS * 100, "%", 0.05)
    chance, live = random.Random(8), [folder / f"-home-me-live-{each}" / "s.jsonl" for each in range(2)]
    prose = " ".join(chance.choice(_WORDS) for _ in range(100_000))
    numbers = iter(range(10**6, 10**7))

    def write() -> None:
        for session, path in enumerate(live):
            path.parent.mkdir(exist_ok=True)
            with path.open("a") as file:
                file.writelines(_answer(chance, prose, session, next(numbers), NOW))

    busy = await _looks(read, now + 2000, write)
    figure("a look while two sessions are written: CPU", busy * 1000, "ms")
    await read.close()
    return good


async def _looks(read: AgentLogs, now: float, write: Callable[[], None]) -> float:
    """Return the CPU of a poll, without that of writing."""
    spent = 0.0
    for each in range(LOOKS):
        write()
        began = time.process_time()
        await read.collect(now + 2.0 * each)
        spent += time.process_time() - began
    return spent / LOOKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0, help="how much is written (1)")
    parser.add_argument("--keep", type=Path, help="write into this folder, and leave it; what is there is used again")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        folder = told.keep or home / "projects"
        note = folder / "answers.txt"
        if not note.exists():
            folder.mkdir(parents=True, exist_ok=True)
            note.write_text(str(write_logs(folder, int(told.gigabytes * 1e9))))
        answers, files = int(note.read_text()), sorted(folder.glob("*/*-0000-*.jsonl"))
        total = sum(path.stat().st_size for path in files)
        heading(f"{total / 1e9:.2f} GB of logs in {len(files)} files, {answers} answers")
        split, parsed = peers(files)
        figure("peer: bytes split into lines, of CPU", total / 1e6 / split, "MB/s")
        figure("peer: every line parsed, of CPU", total / 1e6 / parsed, "MB/s")
        good = asyncio.run(first_reading(folder, total, answers))
        figure("memory of all that", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")
        good &= recorded(folder, home, total, answers)
        good &= asyncio.run(following(folder if told.keep is None else _copy(home)))
    return 0 if good else 1


def _copy(home: Path) -> Path:
    """Return an empty folder: what is kept is not to be written into."""
    folder = home / "followed"
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
