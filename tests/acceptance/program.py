"""The real program in a process of its own, with folders of its own, and what it should have counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
SECONDS = 90.0
_OURS = ("INFERTOP_", "OPENAI_", "ANTHROPIC_", "FAKE_NVML", "LD_LIBRARY_PATH", "NO_COLOR")

_started: list[subprocess.Popen[str]] = []


@dataclass
class Program:
    """infertop with a home in `folder`. `more` goes into its environment, over what this process has."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    read: tuple[str, ...] = ("--no-discovery", "--interval", "0.1")

    @property
    def database(self) -> Path:
        return self.folder / "data/infertop/infertop.db"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        homes = {f"XDG_{name.upper()}_HOME": str(self.folder / name) for name in ("data", "config", "state", "cache")}
        return {**kept, **homes, "HOME": str(self.folder), "PYTHONPATH": str(ROOT), **self.more}

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start `infertop WORDS`, its output in pipes."""
        settings: dict[str, Any] = {
            "cwd": self.folder,
            "env": self.environment,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }
        process = subprocess.Popen([sys.executable, "-m", "infertop.cli", *words], **(settings | options))
        _started.append(process)
        return process

    def run(self, *words: str, seconds: float = SECONDS, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run `infertop WORDS` to its end."""
        process = self.start(*words, **options)
        try:
            out, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, said = process.communicate()
            raise AssertionError(f"infertop {' '.join(words)} did not end within {seconds:g} s: {said}") from None
        return subprocess.CompletedProcess(process.args, process.returncode, out, said)

    def record(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start `infertop record`."""
        return self.start("record", *self.read, *words, **options)

    def report(self, *words: str) -> list[dict[str, Any]]:
        """Return the rows of `infertop report --format json`."""
        done = self.run("report", "--format", "json", *words)
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
        return rows

    def once(self, *words: str, **options: Any) -> dict[str, Any]:
        """Return what `infertop --once --json` says, of polls so far apart that none is stale on a busy machine."""
        done = self.run("--once", "--json", *self.read, "--interval", "0.3", *words, **options)
        assert done.returncode == 0, done.stderr
        reading: dict[str, Any] = json.loads(done.stdout)
        return reading


def end_all() -> None:
    """Kill what a test that failed has left running."""
    for process in _started:
        if process.poll() is None:
            process.kill()
            process.wait(10)
    _started.clear()


def stop(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    """Send a signal, and return status, output and errors."""
    process.send_signal(number)
    out, said = process.communicate(timeout=SECONDS)
    return process.returncode, out, said


def meter(page: str, names: Mapping[str, str]) -> dict[str, float]:
    """Return the sums of a page's samples by what they count, read by prometheus_client: {what: sample's name}."""
    # It calls a counter without `_total` as if it had it.
    wanted = {spelt: what for what, name in names.items() for spelt in (name, f"{name}_total")}
    sums = dict.fromkeys(names, 0.0)
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name in wanted:
                sums[wanted[sample.name]] += sample.value
    return sums


def risen(pages: Iterable[str], names: Mapping[str, str]) -> dict[str, float]:
    """Return by how much counters rose since the first page; after a fall of any of them all began at 0 again."""
    total = dict.fromkeys(names, 0.0)
    before: dict[str, float] | None = None
    for page in pages:
        now = meter(page, names)
        if before is not None:
            begun = any(now[what] < before[what] for what in names)
            total = {what: total[what] + now[what] - (0.0 if begun else before[what]) for what in names}
        before = now
    return total
