"""Asking a backend that matches names only exactly, as Google's Managed Service for Prometheus does.

All names that are there go into one question: each is a vector of its own, with its name in a label, as a union drops
what differs in nothing but the name. A vector has the time of the question, so that of the scrape is asked for beside
it by `timestamp()` of one name of each system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from collectors._prometheus_systems import SYSTEMS, pattern, telling

NAME = "infertop_name"
SCRAPED = "scraped"
_LEGAL = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MOST_NAMES = 1_000


def present(names: Iterable[object], wanted: Iterable[str]) -> frozenset[str]:
    """Return those of all names of a backend that are asked for; none where no engine is among them."""
    there = [name for name in names if isinstance(name, str) and _LEGAL.fullmatch(name)]
    tells, asked = re.compile(pattern(telling())), re.compile(pattern(wanted))
    if not any(map(tells.fullmatch, there)):
        return frozenset()
    return frozenset(sorted(name for name in there if asked.fullmatch(name))[:_MOST_NAMES])


def union(names: Iterable[str], match: str, *, times: bool) -> str:
    """Return the question for all of these names at once, and with `times` for those of the scrapes."""
    within = f"{{{match}}}" if match else ""
    ordered = sorted(names)
    parts = [_named(f"{name}{within}", name) for name in ordered]
    parts += [_named(f"timestamp({name}{within})", SCRAPED) for name in _anchors(ordered) if times]
    return " or ".join(parts)


def _anchors(names: Iterable[str]) -> Iterator[str]:
    """Yield one name of each system, whose time is that of its whole page."""
    whole = [name for name in names if not name.endswith(("_bucket", "_sum"))]
    for system in SYSTEMS:
        yield from [name for name in whole if system.sign.fullmatch(name.replace(":", "_"))][:1]


def _named(vector: str, name: str) -> str:
    return f'label_replace({vector}, "{NAME}", "{name}", "", "")'
