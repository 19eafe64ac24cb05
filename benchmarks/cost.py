"""What pricing a usage record costs: the whole of `infertop cost`, and a record beside the libraries that price them.

The records are the 500 of tests/payloads/prices, of 44 models at their own times. infertop reads each as a line of JSON
and writes another; the peers are given what they need ready-made and return a number, which is measured of infertop
too. Process CPU time, medians of rounds in which they take turns.

    python benchmarks/cost.py [--lines 200000]      exits with 1 below 20,000 records a second
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import figure, heading, median
from infertop.commands.priced_line import PricedLines
from infertop.commands.usage_record import read_record
from infertop.money.cost import cost
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / "tests/payloads/prices/usage_records.jsonl"
ROUNDS = 7
LEAST_PER_SECOND = 20_000

Job = Callable[[], object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 1 where records go by too slowly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=200_000, help="how many the whole command is given (200000)")
    options = parser.parse_args(arguments)
    lines = RECORDS.read_bytes().splitlines()
    heading("infertop cost")
    quick = whole(lines, options.lines)
    records = [json.loads(line) for line in lines]
    jobs: dict[str, Job] = {"infertop, line to line": ours(lines), "infertop, ready-made": ours_ready(lines)}
    for name, prepare in (("genai-prices", genai_prices), ("model-prices", model_prices)):
        try:
            jobs[name] = prepare(records)
        except ImportError:
            print(f"{name} is not installed: left out")
    microseconds = taking_turns(jobs, len(records))
    for name, each in microseconds.items():
        figure(f"{name}: a record", each, "us")
    both, ready, *others = microseconds
    for name in others:
        figure(f"{name} / {both}", microseconds[name] / microseconds[both], "x")
        figure(f"{name} / {ready}", microseconds[name] / microseconds[ready], "x")
    return 0 if quick else 1


def whole(lines: Sequence[bytes], count: int) -> bool:
    """Run the command over `count` lines and over none; say whether it is quick enough."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.jsonl"
        file.write_bytes(b"".join(lines[n % len(lines)] + b"\n" for n in range(count)))
        seconds = min(run(str(file)) for _ in range(3))
    start = min(run("/dev/null") for _ in range(5))
    figure("start to end without a record", start, "s", most=0.15)
    return figure(f"records a second, {count} in a process", count / seconds, "1/s", least=LEAST_PER_SECOND)


def run(file: str) -> float:
    """Return seconds on the clock."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "infertop.cli", "cost", file, "--pricing", str(ROOT / "pricing.toml")]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
    return time.perf_counter() - began


def ours(lines: Sequence[bytes]) -> Job:
    book = PriceBook(Settings())
    priced = PricedLines(book.quote, lambda _provider, _model: "unknown_model")
    return lambda: [priced.line(read_record(line, 0.0)) for line in lines]


def ours_ready(lines: Sequence[bytes]) -> Job:
    book = PriceBook(Settings())
    records = [read_record(line, 0.0) for line in lines]
    return lambda: [cost(book.quote(each.provider, each.model, each.at, each.way), each.tokens).usd for each in records]


def genai_prices(records: Sequence[Mapping[str, Any]]) -> Job:
    from genai_prices import Usage, calc_price

    def usage(tokens: Mapping[str, int]) -> Usage:
        writes = tokens.get("cache_write_5m", 0) + tokens.get("cache_write_1h", 0)
        return Usage(
            input_tokens=tokens.get("input", 0) + tokens.get("cache_read", 0) + writes,
            cache_read_tokens=tokens.get("cache_read", 0),
            cache_write_tokens=writes,
            cache_write_1h_tokens=tokens.get("cache_write_1h", 0),
            output_tokens=tokens.get("output", 0) + tokens.get("reasoning", 0),
            output_reasoning_tokens=tokens.get("reasoning", 0),
        )

    def context(record: Mapping[str, Any]) -> dict[str, str] | None:
        asked = {"processing": "batch"} if record.get("batch") else {}
        return asked | ({"service_tier": tier} if (tier := record.get("service_tier")) else {}) or None

    asked = [(usage(each["tokens"]), each, datetime.fromisoformat(each["at"]), context(each)) for each in records]

    def job() -> object:
        return [
            calc_price(
                used, each["model"], provider_id=each["provider"], genai_request_timestamp=at, price_context=how
            ).total_price
            for used, each, at, how in asked
        ]

    return job


def model_prices(records: Sequence[Mapping[str, Any]]) -> Job:
    from model_prices import cost as priced

    names = {
        "input": "input_tokens",
        "cache_read": "cache_read_tokens",
        "cache_write_5m": "cache_write_tokens",
        "cache_write_1h": "cache_write_1h_tokens",
        "output": "output_tokens",
    }

    def asked(record: Mapping[str, Any]) -> dict[str, Any]:
        tokens = dict(record["tokens"])
        tokens["output"] = tokens.get("output", 0) + tokens.pop("reasoning", 0)
        mode = "batch" if record.get("batch") else record.get("service_tier")
        counts = {names[name]: count for name, count in tokens.items()}
        return {**counts, "at": datetime.fromisoformat(record["at"]), "mode": mode}

    ready = [(each["model"], asked(each)) for each in records]
    return lambda: [priced(model, **each) for model, each in ready]


def taking_turns(jobs: Mapping[str, Job], size: int) -> dict[str, float]:
    """Return the median CPU time of a record in microseconds, of each job."""
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()  # what is read once is read
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            began = time.process_time()
            job()
            spent[name].append((time.process_time() - began) / size * 1e6)
    return {name: median(each) for name, each in spent.items()}


if __name__ == "__main__":
    sys.exit(main())
