"""A value as a figure is given it, and one that may be part of an incident."""

from __future__ import annotations

from typing import NamedTuple


class Given(NamedTuple):
    """A value: of `seconds` from `ts`; `weight` is what it stands on, `history` the seconds known before it, and
    `usd_per_hour` what its scope cost, None where that is unknown."""

    ts: float
    value: float
    weight: float
    seconds: float
    history: float
    usd_per_hour: float | None


class Suspect(NamedTuple):
    """A value that may turn out to be part of an incident: its plan, how long it stands, and the $/hour beyond."""

    ts: float
    value: float
    plan: float
    hours: float
    usd_per_hour: float | None
