"""Machines to ask about: GPUs under a pricing.toml, and an engine whose counters rise by the same every second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.views.explain import figures
from infertop.views.facts import Facts
from infertop.views.shapes import Explained
from tests.money.tape import H100, START, Gpu, engine, nvml
from tests.views.world import World

SMALL = "NVIDIA GeForce RTX 4090"
ENERGY = """
[energy]
usd_per_kwh = 0.30
pue = 1.35
[[energy.tariff]]
from = "22:00"
to = "06:00"
usd_per_kwh = 0.0925
"""
OWNED = f"""timezone = "Europe/Berlin"
[gpu."{SMALL}"]
purchase_usd = 1899.50
lifetime_years = 3.5
residual_usd = 300
availability = 0.95
overhead_usd_per_month = 12.25
[gpu."H100"]
purchase_usd = 31000
lifetime_years = 4
"""
RENTED = f'[gpu."{H100}"]\nusd_per_hour = 2.49\n[host]\nusd_per_hour = 0.4\noverhead_usd_per_month = 20\n'
NOON = 1_795_348_800.0  # 2026-11-22T12:00Z
# 23:30 of a summer's night in Berlin: the night tariff.
NIGHT = START - START % 86_400 + 21.5 * 3600


def world(text: str, *gpus: Gpu, seconds: int = 20, begin: float = NIGHT, **rates: float) -> World:
    """GPUs, and an engine whose counters rise by the same every second."""
    made = World(PriceBook(parse(text.encode())))
    for second in range(seconds + 1):
        ts = begin + second
        made.poll(nvml(ts, *[replace(gpu, joules=gpu.joules and gpu.joules * second) for gpu in gpus]))
        if rates:
            made.poll(engine(ts, started=1.0, **{name: each * second for name, each in rates.items()}))
    made.now += 0.8
    return made


def facts_of(made: World, **more: Any) -> Facts:
    return made.facts(prices_loaded_at=made.now - 3 * 3600 - 5, timezone=str(made.prices.settings.zone), **more)


def explain(facts: Facts, panel: str, key: str, column: str) -> Explained:
    """What is said of one figure; no lines where there is no such row."""
    return figures(facts, panel, key).get(column, Explained("", ()))
