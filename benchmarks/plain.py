"""What asking for a metrics page costs over plain http, as a ratio to httpx's own transport in the same minute.

    python benchmarks/plain.py

A recorded vLLM page of 55 KB from a server on this machine, over a connection that stays open, through every guard of
`infertop.engine.http`; process CPU time by turns, medians.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx

from benchmarks.figures import figure, heading, median
from benchmarks.machine import engines
from infertop.engine.http import Http
from infertop.engine.plain import PlainTransport

ROUNDS, PAGES = 9, 100


async def measure(url: str) -> None:
    """Ask by turns and print the figures."""
    transports = {"httpx": httpx.AsyncHTTPTransport(trust_env=False), "infertop": PlainTransport()}
    asking = {name: Http(url, transport=transport) for name, transport in transports.items()}
    costs: dict[str, list[float]] = {name: [] for name in asking}
    for _ in range(ROUNDS):
        for name, http in asking.items():
            await http.get("/metrics")
            began = time.process_time()
            for _ in range(PAGES):
                await http.get("/metrics")
            costs[name].append((time.process_time() - began) / PAGES * 1000)
    for name, http in asking.items():
        figure(f"a page through {name}'s transport", median(costs[name]), "ms")
        await http.close()
    figure("httpx / infertop", median(costs["httpx"]) / median(costs["infertop"]), "x", least=1.5)


def main() -> int:
    """Start a server, ask it and print the figures."""
    heading("asking for a page of 55 KB")
    with engines() as (urls, _):
        asyncio.run(measure(urls[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
