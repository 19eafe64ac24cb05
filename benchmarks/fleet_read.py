"""Fetching and parsing alone, as infertop does it: its polling loops and collectors, and nothing behind them.

python benchmarks/fleet_read.py INTERVAL URL...      polls vLLM servers until killed
"""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from infertop.commands.sources import collector
from infertop.engine.clock import SystemClock
from infertop.engine.collector import Health, SourceConfig
from infertop.engine.run import Polling
from infertop.readings.model import Batch


class Nowhere:
    """Where polls end."""

    def apply(self, batch: Batch) -> None: ...

    def apply_health(self, health: Health) -> None: ...


async def read(interval: float, urls: list[str]) -> None:
    """Poll until killed."""
    clock = SystemClock()
    polling = Polling(clock, Nowhere())
    for number, url in enumerate(urls):
        config = SourceConfig(kind="vllm", name=f"vllm-{number}", url=url, interval_seconds=interval)
        polling.add(collector(config, clock))
    gc.freeze()
    await polling.run()


if __name__ == "__main__":
    asyncio.run(read(float(sys.argv[1]), sys.argv[2:]))
