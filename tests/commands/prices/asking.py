"""What prices are asked of: an own pricing.toml, and the command as a script runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

NOON = 1_795_348_800.0  # 22 November 2026, 12:00 UTC
OWN = """
[[model."gpt-4o"]]
input = 2
tiers = [{ above = 100000, input = 5 }]
from = 2026-11-01
[[model."gpt-4o"]]
input = 1
from = 2027-01-01
[model."llama*"]
provider = "local"
input = 0.6
[provider."anthropic"]
factor = 0.9
[gpu.H100]
purchase_usd = 25000
lifetime_years = 4
residual_usd = 2000
[energy]
usd_per_kwh = 0.2
pue = 1.3
"""
Run = Callable[..., tuple[int, str, str]]


def only(found: tuple[int, str, str]) -> Any:
    status, out, said = found
    assert (status, said) == (0, "")
    (name,) = json.loads(out)["names"]
    return name
