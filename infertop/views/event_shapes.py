"""What happened, and why: events as screens show them and the history keeps them. None is unknown.

Money is in USD, times in epoch seconds, shares between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

OPEN, ACKNOWLEDGED, PLANNED, CLOSED = "open", "acknowledged", "planned", "closed"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one factor does to $/hour: `before` and `after` are the factor's values in `unit`, None where it has none.

    `of` is where most of it happens ("gpt-4o", "key prod-support"), empty where that is everywhere. The effects of a
    comparison sum to its change.
    """

    factor: str
    usd_per_hour: float
    of: str = ""
    before: float | None = None
    after: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What one model, key or other `name` of a dimension cost an hour before and after."""

    name: str
    before_usd_per_hour: float | None
    after_usd_per_hour: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two windows (start, end) of what `scope` cost: the effects that sum to the change, and who changed most.

    `by` is the dimension that explains the change best, `changes` its values, the largest change first; `flags` are
    sentences on what the comparison does not know (parts without a price, windows recorded in part). `together` are
    factors that the sentence tells as one: what it says of them is the sum of their effects.
    """

    scope: dict[str, str]
    before: tuple[float, float]
    after: tuple[float, float]
    before_usd_per_hour: float | None
    after_usd_per_hour: float | None
    effects: tuple[Effect, ...] = ()
    by: str = ""
    changes: tuple[Change, ...] = ()
    sentence: str = ""
    flags: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """What a scope cost an hour in bins of `width` seconds from `since` on; None where nobody recorded."""

    since: float
    width: float
    usd_per_hour: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """What is worth a line: an incident, a budget's level, a mark, a restart. `until`: None while it lasts.

    `level`: "info", "warn" or "alarm". `key` is the same for all that is said of one event. Of incidents, `state` is
    open, acknowledged, planned or closed, `excess_usd` what it came to beyond the expected so far, and
    `excess_usd_per_hour` what it adds now; `history_seconds` is the past that "expected" stands on, and `why` has the
    figures behind the sentence `cause`.
    """

    ts: float
    level: str
    kind: str
    text: str
    scope: dict[str, str] = field(default_factory=dict)
    metric: str = ""
    value: float | None = None
    expected: float | None = None
    until: float | None = None
    cause: str = ""
    key: str = ""
    state: str = ""
    excess_usd: float | None = None
    excess_usd_per_hour: float | None = None
    history_seconds: float | None = None
    why: Comparison | None = None


def content_of(event: Event) -> dict[str, Any]:
    """Return an event as it is stored, fit for JSON."""
    return asdict(event)


def event_of(content: Mapping[str, Any]) -> Event | None:
    """Return the event that was stored as `content`, None where it is none that this version knows."""
    try:
        why = content.get("why")
        return Event(**{**content, "why": _comparison(why) if why else None})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _comparison(content: Mapping[str, Any]) -> Comparison:
    effects = tuple(Effect(**each) for each in content["effects"])
    changes = tuple(Change(**each) for each in content["changes"])
    spans = {name: (float(content[name][0]), float(content[name][1])) for name in ("before", "after")}
    lists = {name: tuple(content.get(name, ())) for name in ("flags", "together")}
    return Comparison(**{**content, **spans, **lists, "effects": effects, "changes": changes})
