"""A made-up fortnight of a team, on real traffic, whose last day has a story: for `infertop replay`.

    python -m benchmarks.story story.db && infertop replay story.db --pricing story.toml --speed 1000

On its last day a new key begins at 09:30, an engine restarts at 11:20, from 14:05 to 17:05 the prompts of one key are
2.4 times as long, two GPUs stand idle from 18:00 to 21:00, and the day's budget is nearly spent.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from benchmarks.story_traffic import (
    CHAT_ENGINE,
    DAY,
    DAYS,
    END,
    LAST_DAY,
    MINUTE,
    RESTART,
    SERVICES,
    Use,
    minutes,
)
from infertop.history.accounts import Accounts
from infertop.history.meta import write_meta
from infertop.history.open import open_store
from infertop.money.lines import Basis, Line, Price
from infertop.readings.model import Series
from infertop.views.event_shapes import Event, content_of

GIB = 2**30
H100 = "NVIDIA H100 80GB HBM3"
PRICING = f"""\
[gpu."{H100}"]
usd_per_hour = 2.49

[model."gpt-4o"]
input = 2.50
output = 10.00
[model."gpt-4o-mini"]
input = 0.15
output = 0.60
[model."claude-sonnet-4-5"]
input = 3.00
output = 15.00

[[budget]]
name = "everything"
limit_usd = 480
period = "day"
alert_at = [0.5, 0.8, 1.0]

[alert]
floor_usd = 2.00
"""
_USD = {"gpt-4o": (2500, 10_000), "gpt-4o-mini": (150, 600), "claude-sonnet-4-5": (3000, 15_000)}  # 1e-9 USD a token
_GPU_NANO = 2_490_000_000
_GPU_PRICE = Price(H100, Decimal("2.49"), "GPU hour", "pricing.toml:1")
_ROLLED_SECONDS = 2 * DAY


def write(path: Path, days: int = DAYS, seed: int = 7) -> None:
    """Write the story's last `days` into a new database at `path`."""
    store = open_store(path, float(END))
    assert store.connection is not None
    accounts, cells = Accounts(store.connection), _Cells()
    store.connection.execute("BEGIN")
    rows: list[tuple[int, int, int, int, int | None, int]] = []
    for start, used in minutes(seed, days):
        rows += ((*accounts.entry(line), 0) for line in _lines(start, used))
        if start >= END - _ROLLED_SECONDS:
            cells.take(start, used)
    store.connection.executemany("INSERT INTO lines VALUES (?,?,?,?,?,?)", rows)
    first = END - days * DAY
    store.connection.executemany(
        "INSERT INTO coverage VALUES (?,?)", [(start, 60_000) for start in range(first, END, MINUTE)]
    )
    accounts.write(store.connection)
    cells.write(store.connection)
    _notes(store.connection)
    store.connection.execute("COMMIT")
    store.close()


def _lines(start: int, used: list[Use]) -> Iterator[Line]:
    for use in used:
        service = use.service
        if service.gpus:
            yield from _own(start, use)
            continue
        dimensions = (("key", service.key),)
        prices = _USD[service.model]
        for resource, quantity, nano in (("input", use.prompt, prices[0]), ("output", use.output, prices[1])):
            price = Price(service.model, Decimal(nano) / 1000, "1M tokens", "pricing.toml:4")
            yield Line(
                start, start + MINUTE, service.source, service.provider, service.model, resource, dimensions,
                quantity, "tokens", quantity * nano, price, Basis.COMPUTED,
            )  # fmt: skip
        yield Line(
            start, start + MINUTE, service.source, service.provider, service.model, "requests", dimensions,
            use.requests, "requests", None, None, Basis.COMPUTED,
        )  # fmt: skip


def _own(start: int, use: Use) -> Iterator[Line]:
    service, busy = use.service, round(60_000 * _busy(use))
    span = start, start + MINUTE, service.source, "local", service.model
    for gpu in service.gpus:
        for resource, ms in (("gpu_busy", busy), ("gpu_idle", 60_000 - busy)):
            nano = round(ms * _GPU_NANO / 3_600_000)
            yield Line(*span, resource, (("gpu", gpu),), ms, "ms", nano, _GPU_PRICE, Basis.MEASURED)
    if start - LAST_DAY == RESTART and service.source == CHAT_ENGINE:
        return
    counts = (("input", use.prompt, "tokens"), ("output", use.output, "tokens"), ("requests", use.requests, "requests"))
    for resource, quantity, unit in counts:
        yield Line(*span, resource, (), quantity, unit, None, None, Basis.MEASURED)


def _busy(use: Use) -> float:
    return 0.0 if use.load is None else 0.85 + 0.12 * min(use.load, 1.0)


class _Cells:
    """Minutes of the engines' and the GPUs' meters, as the recorder rolls them up."""

    def __init__(self) -> None:
        self._sources: dict[str, int] = {}
        self._series: dict[tuple[int, Series], int] = {}
        self._rows: list[tuple[object, ...]] = []

    def take(self, start: int, used: list[Use]) -> None:
        """Take a minute of what the machine's own engines used."""
        own = [use for use in used if use.service.gpus]
        for use in own:
            model, busy = use.service.model, _busy(use)
            grown = {"input_tokens": use.prompt, "output_tokens": use.output}
            for metric, amount in grown.items():
                self._put(use.service.source, Series.of(metric, model=model), start, 0.0, float(amount))
            self._put(use.service.source, Series.of("requests", model=model, reason="stop"), start, 0.0, use.requests)
            self._put(use.service.source, Series.of("running", model=model), start, round(12 * busy))
            self._put(use.service.source, Series.of("kv_cache_usage", model=model), start, 0.6 * busy)
        for number, (gpu, use) in enumerate((gpu, each) for each in own for gpu in each.service.gpus):
            busy = _busy(use)
            self._put("nvml", Series.of("gpu_info", gpu=gpu, name=H100, index=str(number)), start, 1.0)
            self._put("nvml", Series.of("gpu_utilization", gpu=gpu), start, busy)
            self._put("nvml", Series.of("gpu_memory_total_bytes", gpu=gpu), start, 80 * GIB)
            self._put("nvml", Series.of("gpu_memory_used_bytes", gpu=gpu), start, 71 * GIB)
            self._put("nvml", Series.of("gpu_power_watts", gpu=gpu), start, 120 + 550 * busy)
            held = Series.of("placement_memory_bytes", gpu=gpu, holder=use.service.source)
            self._put("nvml", Series.of("placement_processes", gpu=gpu, holder=use.service.source), start, 1.0)
            self._put("nvml", held, start, 70 * GIB)

    def _put(self, source: str, series: Series, start: int, value: float, grown: float | None = None) -> None:
        of = self._sources.setdefault(source, len(self._sources) + 1)
        number = self._series.setdefault((of, series), len(self._series) + 1)
        self._rows.append((number, start, 60, value, value, 60 * value, value, grown, 0))

    def write(self, connection: sqlite3.Connection) -> None:
        """Store them."""
        connection.executemany("INSERT INTO sources VALUES (?,?)", [(i, name) for name, i in self._sources.items()])
        rows = [(i, of, each.metric, json.dumps(dict(each.labels)), END) for (of, each), i in self._series.items()]
        connection.executemany("INSERT INTO series VALUES (?,?,?,?,?)", rows)
        connection.executemany("INSERT INTO minute VALUES (?,?,?,?,?,?,?,?,?)", self._rows)


def _notes(connection: sqlite3.Connection) -> None:
    """Store what a recorder notes besides: its sources, how far it came, and the restart of an engine."""
    kinds = {each.source: each.source.partition("@")[0] for each in SERVICES} | {"nvml": "nvml"}
    write_meta(connection, "sources", json.dumps({name: [kind, None, 0] for name, kind in kinds.items()}))
    write_meta(connection, "closed", END)
    ts = float(LAST_DAY + RESTART)
    text = f"{CHAT_ENGINE} was restarted: what it did between the last reading and the restart is not known"
    event = content_of(Event(ts, "info", "restart", text, {"source": CHAT_ENGINE}, until=ts))
    key = f"restart {CHAT_ENGINE} {ts:.0f}"
    connection.execute("INSERT INTO events VALUES (?,?,?,?)", (key, ts, 1, json.dumps(event)))


def main() -> None:
    """Write a story."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the database to write; its prices and budget go beside it, as .toml")
    parser.add_argument("--days", type=int, default=DAYS, help="how many days before the end (default: 14)")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if options.file.exists():
        parser.error(f"{options.file} is there already")
    write(options.file, options.days, options.seed)
    options.file.with_suffix(".toml").write_text(PRICING, encoding="utf-8")


if __name__ == "__main__":
    main()
