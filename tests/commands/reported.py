"""A ledger with a machine and an API in it, and `infertop report` typed over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infertop import cli
from infertop.commands import setup
from infertop.money.lines import Basis, Line, Price
from tests.fakes import FakeClock
from tests.history.world import booked

NOON = 1_790_078_400.0  # 22 September 2026, 12:00 UTC
PRICE = Price("gpt-4o", Decimal("2.5"), "1M tokens", "pricing.toml:4")
API = Line(0, 60, "openai", "openai", "gpt-4o", "input", (("key", "prod-1"),), 1000, "tokens", 7, PRICE, Basis.COMPUTED)
LOCAL = Line(0, 60, "vllm@a:1", "local", "llama", "output", (), 500, "tokens", None, None, Basis.MEASURED)
GPU = replace(LOCAL, resource="gpu_busy", dimensions=(("gpu", "GPU-0"),), unit="ms", usd_nano=2 * 10**9, price=PRICE)
PRICING = """
timezone = "Europe/Berlin"
[[assign]]
key = "prod-*"
team = "support"
customer = "=HYPERLINK(1)"
[[budget]]
name = "gpus"
limit_usd = 2
period = "day"
model = "llama"
[[source]]
kind = "vllm"
name = "apart"
url = "http://127.0.0.1:1"
counts = false
"""


def at(line: Line, minutes_ago: int, **more: Any) -> Line:
    start = int(NOON) - 60 * minutes_ago
    return replace(line, start=start, end=start + 60, **more)


LINES = (
    at(GPU, 30),
    at(LOCAL, 30),
    at(LOCAL, 30, resource="requests", unit="requests", quantity=4),
    at(API, 90, usd_nano=10**9),
    at(API, 90, dimensions=(("key", "dev"),), usd_nano=None, price=None, quantity=40),
    at(GPU, 3000),
    at(replace(LOCAL, source="host", model=None, resource="host", unit="ms", quantity=60_000), 30),
    at(replace(LOCAL, source="apart"), 30),
)

Said = tuple[int, str, str]
Run = Callable[..., Said]


def record(database: Path, lines: Sequence[Line]) -> None:
    booked(database, NOON, lines, {line.start for line in lines})


def typed_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what types `infertop report`: of words the exit status, and what went to stdout and stderr."""
    monkeypatch.setattr(setup, "SystemClock", lambda: FakeClock(NOON))
    database, pricing = tmp_path / "x.db", tmp_path / "pricing.toml"
    pricing.write_text(PRICING)
    record(database, LINES)

    def typed(*words: str) -> Said:
        status = cli.main(["report", "--db", str(database), "--pricing", str(pricing), *words])
        return status, *capsys.readouterr()

    return typed
