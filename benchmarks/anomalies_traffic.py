"""Real traffic for the benchmark of incidents, and faults put into it: what each scope used and cost by ten minutes."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import NamedTuple

TRACE = Path(__file__).parent / "traces" / "anomalies" / "servegen.csv.gz"
STEP, WEEK, SLOTS = 600, 1008, 2016
START = 1_767_571_200.0  # a Monday's midnight: the trace has no dates
CACHED, OUT = 0.1, 4.0  # prices as multiples of that of a prompt token
PROMPT_USD = {"m-large": 2.5e-6, "m-mid": 0.6e-6}
KINDS = ("volume", "prompt", "output", "price", "cache")
HOURS = (1, 2, 4, 8, 12, 24)


class Used(NamedTuple):
    """Ten minutes of a client: requests, prompt tokens that were computed and that were cached, output tokens, and
    what the prices of its model are multiplied by."""

    requests: float
    fresh: float
    cached: float
    output: float
    price: float = 1.0

    def usd_per_hour(self, model: str) -> float:
        """What it costs an hour."""
        tokens = self.fresh + CACHED * self.cached + OUT * self.output
        return tokens * PROMPT_USD[model] * self.price * 3600 / STEP


@dataclass(frozen=True, slots=True)
class Fault:
    """What is put in: one of KINDS, times `factor`, for `slots` slots from `begin` on, in the traffic of `clients`."""

    kind: str
    factor: float
    begin: int
    slots: int
    clients: tuple[str, ...]

    def of(self, slot: int, client: str, used: Used) -> Used:
        """Return what the client used with the fault."""
        if client not in self.clients or not self.begin <= slot < self.begin + self.slots:
            return used
        times = self.factor
        if self.kind == "volume":
            return Used(used.requests * times, *(each * times for each in used[1:4]), used.price)
        if self.kind == "prompt":
            return used._replace(fresh=used.fresh * times, cached=used.cached * times)
        if self.kind == "output":
            return used._replace(output=used.output * times)
        if self.kind == "price":
            return used._replace(price=used.price * times)
        return used._replace(fresh=used.fresh + used.cached * (1 - 1 / times), cached=used.cached / times)


Traffic = Mapping[str, Sequence[Used]]
"""Ten clients ("m-large/c61"), each with its slots."""


def read(seed: int, path: Path = TRACE) -> dict[str, list[Used]]:
    """Return the trace; a share of each client's prompts is cached, whose odds vary by a fifth."""
    rows = csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode()))
    names = [each.removesuffix(" requests") for each in rows.fieldnames or () if each.endswith(" requests")]
    hits = {name: random.Random(f"hits {seed} {name}") for name in names}
    usual = {name: rng.uniform(0.3, 0.8) for name, rng in hits.items()}
    traffic: dict[str, list[Used]] = {name: [] for name in names}
    for row in rows:
        for name in names:
            requests, prompt, output = (float(row[f"{name} {what}"] or 0) for what in ("requests", "prompt", "output"))
            odds = usual[name] / (1 - usual[name]) * exp(hits[name].gauss(0, 0.2))
            hit = odds / (1 + odds)
            traffic[name].append(Used(requests, prompt * (1 - hit), prompt * hit, output))
    return traffic


def model_of(client: str) -> str:
    """Return the model that a client uses."""
    return client.partition("/")[0]


def figures(used: Iterable[tuple[str, Used]]) -> dict[str, float]:
    """Return what infertop watches of a scope whose clients used that in a slot; what there is none of is left out."""
    pairs = list(used)
    requests, fresh, cached, output = (sum(each[at] for _, each in pairs) for at in range(4))
    usd = sum(each.usd_per_hour(model_of(client)) for client, each in pairs)
    of = {"usd_per_hour": usd, "requests_per_second": requests / STEP}
    if requests and fresh + cached:
        of["usd_per_request"] = usd / requests / 3600 * STEP
        of["prompt_tokens_per_request"] = (fresh + cached) / requests
        of["output_tokens_per_request"] = output / requests
        of["cache_hit_ratio"] = cached / (fresh + cached)
        of["usd_per_million_tokens"] = usd / 3600 * STEP / (fresh + cached + output) * 1e6
    return of


def fault_at_random(
    rng: random.Random, traffic: Traffic, kind: str, factor: float, clients: tuple[str, ...]
) -> Fault | None:
    """Return a fault that begins at random in the second week, while there is something to multiply.

    That is: the clients ask in its first two slots, and cost in its first hour a tenth of their first week's mean.
    """
    usd = [sum(traffic[each][slot].usd_per_hour(model_of(each)) for each in clients) for slot in range(SLOTS)]
    least = 0.1 * sum(usd[:WEEK]) / WEEK
    for _ in range(1000):
        slots = rng.choice(HOURS) * 3600 // STEP
        begin = rng.randrange(WEEK, SLOTS - slots)
        if min(usd[begin : begin + 2]) > 0 and sum(usd[begin : begin + 6]) / 6 >= least:
            return Fault(kind, factor, begin, slots, clients)
    return None
