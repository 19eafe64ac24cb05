"""What reading a vLLM metrics page costs, as a ratio to prometheus_client on the same page in the same minute.

The page is a recorded one with its engine repeated as ranks 0 to 3 and a model name of usual length, about 200 KB;
successive versions are successive seconds under load, so values really change. Process CPU time, medians.

    python benchmarks/parse.py [--target 40]      exits with 1 below the target
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from prometheus_client.parser import text_string_to_metric_families

from collectors.vllm import TABLE
from infertop.readings.exposition import Exposition
from tests.recordings import pages

RANKS = 4
VERSIONS = 12
ROUNDS = 7
FIRST = 100  # a second of the recording in which the server is busy


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the costs and the ratio; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", type=float, default=40.0, help="the least ratio (40)")
    target = parser.parse_args(arguments).target
    texts = versions()
    bodies = [text.encode() for text in texts]
    wanted = TABLE.wanted()
    ours = Exposition(wanted)
    samples = len(ours.parse(bodies[0]).values)
    everything = sum(not line.startswith("#") for line in texts[0].splitlines())
    print(f"vLLM page: {len(bodies[0]) / 1000:.0f} KB, {everything} samples, {samples} needed, {RANKS} ranks")
    theirs = milliseconds(lambda text: list(text_string_to_metric_families(text)), texts, 1)
    again = milliseconds(ours.parse, bodies, 50)
    grown = [body for each in bodies for body in (each, one_series_more(each))]
    results = {
        "prometheus_client, everything": theirs,
        "infertop, the same layout again": again,
        "infertop, a series came or went": milliseconds(ours.parse, grown, 5),
        "infertop, first page": milliseconds(lambda body: Exposition(wanted).parse(body), bodies, 2),
        "floor: split into lines": milliseconds(lambda body: body.split(b"\n"), bodies, 50),
    }
    for name, cost in results.items():
        print(f"{name:36} {cost:9.3f} ms  {theirs / cost:6.1f} x")
    return 0 if theirs / again >= target else 1


def versions() -> list[str]:
    """Return successive versions of the page."""
    recorded = (text for _, status, text in pages("vllm/0.32.0.jsonl.gz") if status == 200)
    return [ranked(text) for text in islice(recorded, FIRST, FIRST + VERSIONS)]


def ranked(text: str) -> str:
    """Repeat each line of engine 0 for every rank, and give the model a name of usual length."""
    lines: list[str] = []
    for line in text.replace('model_name="tiny-llama"', 'model_name="meta-llama/Llama-3.3-70B-Instruct"').split("\n"):
        repeated = RANKS if 'engine="0"' in line else 1
        lines += (line.replace('engine="0"', f'engine="{rank}"') for rank in range(repeated))
    return "\n".join(lines)


def one_series_more(body: bytes) -> bytes:
    """Return the page with one more needed series in its middle."""
    line = b'vllm:request_success_total{engine="0",finished_reason="new",model_name="m"} 1.0\n'
    at = body.index(b"vllm:request_success_total{")
    return body[:at] + line + body[at:]


def milliseconds(read: Callable[[Any], object], texts: Sequence[str | bytes], repeats: int) -> float:
    """Return the median CPU time of reading one text."""
    costs = []
    for _ in range(ROUNDS):
        work = list(islice(cycle(texts), len(texts) * repeats))
        began = time.process_time()
        for text in work:
            read(text)
        costs.append((time.process_time() - began) / len(work) * 1000)
    return statistics.median(costs)


if __name__ == "__main__":
    sys.exit(main())
