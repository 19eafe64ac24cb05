"""How benchmarks print: a line a figure, with its target and whether it was met."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence

_WIDTH = 46


def figure(name: str, value: float, unit: str, most: float | None = None, *, least: float | None = None) -> bool:
    """Print `name value target ok|MISSED`, without the last two where there is no target; return whether it is met."""
    bound = f"<= {most:g}" if most is not None else f">= {least:g}" if least is not None else ""
    met = (most is None or value <= most) and (least is None or value >= least)
    verdict = "" if not bound else "ok" if met else "MISSED"
    print(f"{name:{_WIDTH}} {value:12.3f} {unit:5} {bound:9} {verdict}".rstrip(), flush=True)
    return met


def heading(what: str) -> None:
    """Print what is measured, and on what: figures of a busy machine are upper bounds."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"# {what}; Python {platform.python_version()}, {os.cpu_count()} cores, load {load}", flush=True)


def median(values: Sequence[float]) -> float:
    """Return the median, not a number where there is nothing."""
    return statistics.median(values) if values else float("nan")


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed, not a number where there is nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")
