"""An hour of traffic in a ledger: an engine on a GPU, and a provider's model asked for at once and in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from infertop.money.lines import Basis, Line, Price
from infertop.money.load import parse
from infertop.money.rates import PriceBook
from tests.history.world import booked

NOON = 1_795_348_800.0  # 22 November 2026, 12:00 UTC
HOUR = 3600
VLLM, LLAMA = "vllm@127.0.0.1:8000", "llama-70b"
RATE = Price("NVIDIA A100-SXM4-80GB", Decimal(3), "GPU hour", "pricing.toml:2")
LISTED = Price("gpt-4o", Decimal("2.5"), "1M tokens", "snapshot 2026-11-10")
PRICING = """\
[gpu."NVIDIA A100-SXM4-80GB"]
usd_per_hour = 3
[model."llama-70b"]
provider = "local"
input = 0.60
cache_read = 0.06
output = 0.90
"""
OWN = Line(0, 60, VLLM, "local", LLAMA, "", (), 0, "tokens", None, None, Basis.MEASURED)
API = Line(0, 60, "openai", "openai", "gpt-4o", "", (), 0, "tokens", 0, LISTED, Basis.COMPUTED)


def book(text: str = PRICING) -> PriceBook:
    return PriceBook(parse(text.encode(), "pricing.toml", {}))


def minute(ago: int, *lines: Line) -> Iterator[Line]:
    """The lines as those of the minute that began so many minutes before noon."""
    start = int(NOON) - 60 * ago
    for line in lines:
        yield replace(line, start=start, end=start + line.end - line.start)


def tokens(line: Line, **counts: int) -> Iterator[Line]:
    """A line for each class; 0.01 USD each where the line has a price."""
    for name, count in counts.items():
        unit = "requests" if name == "requests" else "tokens"
        usd = None if line.price is None or name == "requests" else 10_000_000
        yield replace(line, resource=name, quantity=count, unit=unit, usd_nano=usd)


def gpu(busy_ms: int, held_ms: int = 60_000, uuid: str = "GPU-0", **more: Any) -> Iterator[Line]:
    """The time of a GPU in a minute at 3 USD an hour, busy and idle."""
    for resource, ms in (("gpu_busy", busy_ms), ("gpu_idle", held_ms - busy_ms)):
        usd = ms * 3 * 10**9 // 3_600_000
        line = replace(OWN, resource=resource, dimensions=(("gpu", uuid),), quantity=ms, unit="ms", usd_nano=usd)
        yield replace(line, price=RATE, **more)


def engine_hour(busy_ms: int = 30_000, per_minute: int = 640) -> Iterator[Line]:
    """An hour in which the engine did 3 x `per_minute` tokens a minute, two thirds of them input."""
    for ago in range(60, 0, -1):
        yield from minute(ago, *tokens(OWN, input=2 * per_minute, output=per_minute, requests=2), *gpu(busy_ms))


def record(database: Path, lines: Sequence[Line], minutes: int = 60) -> Path:
    """Store the lines, and that the last `minutes` before noon were recorded."""
    booked(database, NOON, lines, (int(NOON) - 60 * ago for ago in range(1, minutes + 1)))
    return database
