"""Make the demo's traffic from public traces: one row per service and minute, tokens and requests as they were.

usage: make_demo_data.py azure_conv.csv azure_code.csv mooncake_cached.csv > collectors/demo/traffic.csv

Sources and licences: collectors/demo/LICENCES.md. The first-token times are not in the traces; they are modelled from
each request's fresh prompt tokens (0.03 s + tokens / 8000 per second) and counted into vLLM's buckets, sparse as
"bucket:count".
"""

from __future__ import annotations

import csv
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

TTFT_BOUNDS = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
    *(10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
MINUTES = 58


class Request(NamedTuple):
    seconds: float
    fresh: int
    cached: int
    output: int


def azure(path: Path) -> Iterator[Request]:
    first = None
    with path.open(newline="") as rows:
        for row in csv.DictReader(rows):
            at = datetime.fromisoformat(row["TIMESTAMP"][:26])
            first = first or at
            yield Request((at - first).total_seconds(), int(row["ContextTokens"]), 0, int(row["GeneratedTokens"]))


def mooncake(path: Path) -> Iterator[Request]:
    with path.open(newline="") as rows:
        for row in csv.DictReader(rows):
            cached = min(int(row["cached_tokens_ideal"]), int(row["input_length"]))
            fresh = int(row["input_length"]) - cached
            yield Request(int(row["timestamp_ms"]) / 1000, fresh, cached, int(row["output_length"]))


def minutes(requests: Iterator[Request]) -> Iterator[tuple[int, int, int, int, int, str]]:
    by_minute: dict[int, list[Request]] = defaultdict(list)
    for request in requests:
        by_minute[int(request.seconds // 60)].append(request)
    for minute in range(MINUTES):
        these = by_minute.get(minute, [])
        buckets = Counter(bisect_left(TTFT_BOUNDS, 0.03 + each.fresh / 8000) for each in these)
        sparse = " ".join(f"{bucket}:{count}" for bucket, count in sorted(buckets.items()))
        fresh, cached, output = (sum(getattr(each, name) for each in these) for name in ("fresh", "cached", "output"))
        yield minute, len(these), fresh, cached, output, sparse


def main(conversation: str, code: str, mooncake_path: str) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("service", "minute", "requests", "input", "cache_read", "output", "ttft"))
    services = (
        ("azure-conversation", azure(Path(conversation))),
        ("azure-code", azure(Path(code))),
        ("mooncake-conversation", mooncake(Path(mooncake_path))),
    )
    for name, requests in services:
        for row in minutes(requests):
            out.writerow((name, *row))


if __name__ == "__main__":
    main(*sys.argv[1:])
