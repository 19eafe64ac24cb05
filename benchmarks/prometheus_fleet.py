"""What an answer of a Prometheus costs: 500 vLLM targets of 400 series each, read and mapped, again and again.

    python benchmarks/prometheus_fleet.py

CPU of each answer, then the memory that is kept between two, which is counted in a round of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from collectors._prometheus_answer import Answer
from collectors._prometheus_fleet import Fleet
from collectors._prometheus_systems import pattern, wanted
from infertop.engine.clock import SystemClock
from infertop.readings.exposition import Exposition
from tests.recordings import PAYLOADS

TARGETS = 500
SERIES = 400
SCRAPE_SECONDS = 15
POLLS = 5
_PIECE_BYTES = 64 * 1024


def series() -> list[tuple[tuple[tuple[str, str], ...], float]]:
    """Return what is asked for of a vLLM page, as often as makes 400 (ranks of data parallel engines)."""
    asked = re.compile(pattern(wanted()))
    page = Exposition(None).parse((PAYLOADS / "vllm/0.33.0.txt").read_bytes())
    found = [
        (tuple(sorted((*raw.labels, ("__name__", raw.name)))), value)
        for raw, value in zip(page.layout.series, page.values, strict=True)
        if asked.fullmatch(raw.name)
    ]
    ranks = [
        (tuple((k, f"{rank}" if k == "engine" else v) for k, v in labels), value)
        for rank in range(8)
        for labels, value in found
    ]
    return list(dict(ranks).items())[:SERIES]


def answers() -> Iterator[bytes]:
    """Yield one answer a poll: two scrapes of every target, the newer of which is new."""
    page, random_ = series(), random.Random(7)
    heads = [
        json.dumps(dict(labels) | {"job": "vllm", "instance": f"10.0.{n // 250}.{n % 250}:8000", "cluster": "prod"})
        for n in range(TARGETS)
        for labels, _ in page
    ]
    heads = [head.replace('": "', '":"').replace('", "', '","') for head in heads]
    for poll in range(POLLS):
        end = 1.79e9 + SCRAPE_SECONDS * poll
        rows = []
        for n in range(TARGETS):
            at = end - SCRAPE_SECONDS * (n / TARGETS)
            for i, (_, value) in enumerate(page):
                points = ",".join(
                    f'[{ts:.3f},"{value + 3 * (poll + step) + (i % 7 == 0) * random_.random():.6g}"]'
                    for step, ts in ((0, at - SCRAPE_SECONDS), (1, at))
                )
                rows.append(f'{{"metric":{heads[n * len(page) + i]},"values":[{points}]}}')
        text = '{"status":"success","data":{"resultType":"matrix","result":[' + ",".join(rows) + "]}}"
        yield text.encode()


def main() -> None:
    """Print seconds of CPU for each answer, by step."""
    fleet = Fleet("prometheus", "127.0.0.1", SystemClock(), {})
    for poll, body in enumerate(answers()):
        began = time.process_time()
        fleet.begin()
        answer = Answer("here", fleet.take)
        for at in range(0, len(body), _PIECE_BYTES):
            answer.feed(body[at : at + _PIECE_BYTES])
        answer.finish()
        taken = time.process_time()
        members = asyncio.run(fleet.members(1.79e9 + SCRAPE_SECONDS * poll, float(SCRAPE_SECONDS)))
        ended = time.process_time()
        read = sum(len(batch.series) for member in members for batch in member.batches)
        print(
            f"answer {poll + 1}: {len(body) / 1e6:.0f} MB, {len(members)} targets, {read} readings: "
            f"{taken - began:.2f} s to read, {ended - taken:.2f} s to map"
        )


def memory() -> None:
    """Print what the fleet holds between answers."""
    tracemalloc.start()
    fleet = Fleet("prometheus", "127.0.0.1", SystemClock(), {})
    for poll, body in enumerate(answers()):
        if poll == 2:
            break
        fleet.begin()
        answer = Answer("here", fleet.take)
        answer.feed(body)
        answer.finish()
        asyncio.run(fleet.members(1.79e9 + SCRAPE_SECONDS * poll, float(SCRAPE_SECONDS)))
        fleet.begin()
    del body, answer
    print(f"kept between answers: {tracemalloc.get_traced_memory()[0] / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
    memory()
