"""What an incident says it came to, held against ledgers of which it is known what the fault cost."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

import pytest

from infertop.money.detect.fault import Fault
from infertop.money.detect.watched import USUAL
from infertop.views.incident_text import incident_event
from tests.commands.watched_world import LOCAL, OPENAI, World

CALM, LASTS, AFTER = 900, 180, 60  # minutes
GPU_NANO = 4 * 10**9


@dataclass(frozen=True)
class Use:
    """A minute of one key; prices in 1e-9 USD a token."""

    requests: int
    prompt: float = 2000.0
    output: float = 300.0
    hits: float = 0.6
    prices: tuple[int, int, int] = (3000, 300, 15_000)
    model: str = "claude"
    as_one: bool = False

    def lines(self) -> dict[str, tuple[int, int | None]]:
        prompt = self.requests * self.prompt
        counts = (prompt * (1 - self.hits), prompt * self.hits, self.requests * self.output)
        named = zip(("input", "cache_read", "output"), counts, self.prices, strict=True)
        told: dict[str, tuple[int, int | None]] = {
            name: (round(count), round(count) * nano) for name, count, nano in named
        }
        if self.as_one:
            whole = sum(nano or 0 for _, nano in told.values())
            told = {name: (count, None) for name, (count, _) in told.items()} | {"cost": (whole, whole)}
        return told | {"requests": (self.requests, None)}

    @property
    def usd(self) -> float:
        return sum(nano or 0 for _, nano in self.lines().values()) / 1e9


Change = Callable[[Use], Use]
BASE = {"prod": 40, "dev": 12}
GPUS = 4


class Faulty:
    """A ledger in which, for some hours, one key does something else; `usd` is what that really cost."""

    def __init__(self, path: Path, seed: int = 1) -> None:
        self.world = World(path)
        self.world.asked = replace(self.world.asked, rule=replace(USUAL, floor_usd=0.5))
        self.chance = random.Random(seed)
        self.usd = 0.0
        self.busy = [0.9] * GPUS
        self.as_one = False

    def minutes(self, count: int, change: Change | None = None, key: str = "prod", watched: bool = True) -> None:
        """Close so many minutes, watched as they close, or all of them later."""
        for _ in range(count):
            lines: dict[int, tuple[int, int | None]] = {}
            for name, requests in BASE.items():
                count, hits = round(requests * self.chance.uniform(0.9, 1.1)), 0.6 * self.chance.uniform(0.95, 1.05)
                usual = Use(count, hits=hits, as_one=self.as_one)
                now = change(usual) if change and name == key else usual
                self.usd += now.usd - usual.usd
                for resource, amounts in now.lines().items():
                    price = None if self.as_one or resource == "requests" else "a"
                    lines[self._account(now.model, resource, price, name)] = amounts
            lines |= self._gpus()
            self.world.minute(lines)
            if watched and self.world.until % 600 == 0:
                self.world.watch()

    def _account(self, model: str, resource: str, price: str | None, key: str) -> int:
        flags = "stated" if self.as_one and resource != "cost" else ""
        return self.world.account(model, resource, price=price, flags=flags, key=key)

    def _gpus(self) -> dict[int, tuple[int, int | None]]:
        lines: dict[int, tuple[int, int | None]] = {}
        for number, share in enumerate(self.busy):
            for resource, part in (("gpu_busy", share), ("gpu_idle", 1 - share)):
                account = self.world.account("llama", resource, source=LOCAL, gpu=f"GPU-{number}")
                lines[account] = (round(60_000 * part), round(GPU_NANO / 60 * part))
        return lines

    def fault(self) -> Fault:
        """The only one that there was, as it closed."""
        assert len(self.world.opened()) == 1, [(each.fault.lead, each.fault.since) for each in self.world.steps]
        last = self.world.steps[-1].fault
        assert last.until is not None
        return last


CHANGES: dict[str, Change] = {
    "cache_hit_ratio": lambda use: replace(use, hits=use.hits / 6),
    "no cache at all": lambda use: replace(use, hits=0.0),
    "prompt_tokens_per_request": lambda use: replace(use, prompt=use.prompt * 3),
    "output_tokens_per_request": lambda use: replace(use, output=use.output * 4),
    "requests_per_second": lambda use: replace(use, requests=use.requests * 5),
    "usd_per_million_tokens": lambda use: replace(use, model="opus", prices=(9000, 900, 45_000)),
    "usd_per_hour": lambda use: replace(use, requests=use.requests * 3, prompt=use.prompt * 2),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_fault_comes_to_what_it_really_cost(name: str, tmp_path: Path) -> None:
    faulty = Faulty(tmp_path / "infertop.db")
    faulty.minutes(CALM, watched=False)
    faulty.minutes(LASTS, CHANGES[name])
    faulty.minutes(AFTER)
    fault = faulty.fault()
    assert fault.last is not None
    assert fault.last.excess_usd == pytest.approx(faulty.usd, rel=0.03)


@pytest.mark.parametrize("name", ["cache_hit_ratio", "prompt_tokens_per_request"])
def test_where_a_source_states_its_cost_as_one_it_is_divided_by_usual_ratios_of_prices(
    name: str, tmp_path: Path
) -> None:
    faulty = Faulty(tmp_path / "infertop.db")
    faulty.as_one = True
    faulty.minutes(CALM, watched=False)
    faulty.minutes(LASTS, CHANGES[name])
    last = faulty.world.steps[-1].fault.last
    assert last is not None
    assert last.excess_usd == pytest.approx(faulty.usd, rel=0.12)


def test_gpus_that_stand_idle_come_to_what_they_cost_meanwhile(tmp_path: Path) -> None:
    faulty = Faulty(tmp_path / "infertop.db")
    faulty.minutes(2 * CALM, watched=False)
    faulty.busy = [0.9] + [0.0] * (GPUS - 1)
    faulty.minutes(LASTS)
    faulty.busy = [0.9] * GPUS
    faulty.minutes(AFTER)
    fault = faulty.fault()
    assert fault.lead.metric == "idle_usd_per_hour"
    assert fault.last is not None
    assert fault.last.excess_usd == pytest.approx(0.9 * (GPUS - 1) * GPU_NANO / 1e9 * LASTS / 60, rel=0.03)


def test_a_flood_of_small_requests_comes_to_what_those_cost(tmp_path: Path) -> None:
    faulty = Faulty(tmp_path / "infertop.db")
    faulty.minutes(CALM, watched=False)
    small = 9

    def flooded(use: Use) -> Use:
        count = use.requests * (1 + small)
        return replace(
            use, requests=count, prompt=(use.prompt + small * 20) / (1 + small), output=use.output / (1 + small)
        )

    faulty.minutes(LASTS, flooded)
    faulty.minutes(AFTER)
    fault = faulty.fault()
    assert fault.lead.metric == "requests_per_second"
    assert fault.last is not None
    assert fault.last.excess_usd == pytest.approx(faulty.usd, rel=0.1)


def test_slow_answers_are_an_incident_without_dollars(tmp_path: Path) -> None:
    faulty = Faulty(tmp_path / "infertop.db")
    world, minutes = faulty.world, 0
    world.connection.execute("INSERT INTO sources VALUES (1, ?)", (OPENAI,))
    for number, metric in ((1, "requests"), (2, "request_seconds_total")):
        labels = json.dumps({"model": "claude", "provider": OPENAI})
        world.connection.execute("INSERT INTO series VALUES (?,1,?,?,0)", (number, metric, labels))
    for seconds, count in ((2.0, CALM), (9.0, LASTS), (2.0, AFTER)):
        for start in range(world.until + 60 * minutes, world.until + 60 * (minutes + count), 60):
            grown = [(1, start, 50.0), (2, start, 50 * seconds * faulty.chance.uniform(0.9, 1.1))]
            world.connection.executemany("INSERT INTO minute VALUES (?,?,1,NULL,NULL,NULL,NULL,?,0)", grown)
        minutes += count
    faulty.minutes(CALM, watched=False)
    faulty.minutes(LASTS + AFTER)
    fault = faulty.fault()
    assert (fault.lead.metric, fault.scope) == ("request_seconds", (("model", "claude"),))
    assert fault.last is not None
    assert (fault.last.excess_usd, fault.last.excess_usd_per_hour) == (None, None)
    text = incident_event(fault, world.until, UTC).text
    assert text.endswith("from 15:00 to 18:00; it is as expected again, after 3 h")
    assert re.match(r"claude: request time (8\.9|9\.0)\d s on average, expected [12]\.\d\d s, ", text)
