"""Incidents on the screen: their states, which one matters most, and whom one is about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from infertop.views.event_shapes import ACKNOWLEDGED, CLOSED, OPEN, PLANNED, Event
from tui import format as fmt
from tui.sentences import sentence
from tui.themes import ALARM, DIM, PLAIN, WARN

INCIDENT = "incident"
EFFECTS_NAME, CHANGES_NAME = WHY_TABLES = "effects", "changes"
"""The tables of the pages that say why."""
_ROUNDING = 1e-6
STATES = {
    OPEN: ("!", "open", "open"),
    ACKNOWLEDGED: ("○", "acknowledged", "acked"),
    PLANNED: ("◌", "planned", "planned"),
    CLOSED: ("·", "closed", "closed"),
}
"""Glyph, word, and the word where there is little room."""
_NAMES = {
    "usd_per_hour": "$/h",
    "idle_usd_per_hour": "idle $/h",
    "usd_per_request": "$/request",
    "usd_per_million_tokens": "$/1M tokens",
    "requests_per_second": "requests/s",
    "cache_hit_ratio": "cache hits",
}
# What columns of their own say: since when, until when, and what it came to.
_TOLD_BESIDE = re.compile(r"(?:, since [^,;]{1,20}(?:; [^;]*)?|, from [^,;]{1,20} to [^,;]{1,20}; [^;]*)$")
_CONDITION = re.compile(r" (?=[a-z_]+=)")
_SINCE = re.compile(r"; since [^;]{1,24}; [^;]{1,60}$")
_TIMES = re.compile(r"^[\d.,]{1,20}x(?: that of .{1,60}?)?: ")
_SHARE = re.compile(r"^(.{1,400}) is ([\d.,]{1,12} %) of it; since [^;]{1,24}; [^; ]{1,24}(?: of [^; ]{1,24})?$")


def lasting(event: Event) -> bool:
    """Return whether it is an incident that has not closed."""
    return event.kind == INCIDENT and event.until is None and event.state != CLOSED


def opened(event: Event) -> bool:
    """Return whether it is an incident that lasts and that nobody has acknowledged or called planned."""
    return lasting(event) and event.state not in (ACKNOWLEDGED, PLANNED)


def _stakes(event: Event) -> tuple[float, float, float]:
    now, so_far = event.excess_usd_per_hour, event.excess_usd
    return (-abs(now) if fmt.known(now) else 0.0, -abs(so_far) if fmt.known(so_far) else 0.0, -event.ts)


def by_stakes(events: Sequence[Event]) -> list[Event]:
    """Return the open incidents, those that cost most an hour first."""
    return sorted(filter(opened, events), key=_stakes)


class _Scopes:
    """The scopes of the open incidents of the last view: rows ask for them by the hundred."""

    def __init__(self) -> None:
        self._of: Sequence[Event] = ()
        self._open: list[Mapping[str, str]] = []

    def open(self, events: Sequence[Event]) -> list[Mapping[str, str]]:
        if self._of is not events:
            self._of, self._open = events, [event.scope for event in events if opened(event)]
        return self._open


_SCOPES = _Scopes()


def about(events: Sequence[Event], **dimensions: str) -> bool:
    """Return whether an open incident is about the thing with these dimensions: all that its scope names agree."""
    scopes = _SCOPES.open(events)
    return any(scope and all(dimensions.get(name) == value for name, value in scope.items()) for scope in scopes)


def about_budget(events: Sequence[Event], conditions: str) -> bool:
    """Return whether an open incident is within a budget of these conditions (`model=gpt-4o* team=support`).

    A budget of everything is in question where an incident is of everything.
    """
    scopes = _SCOPES.open(events)
    if not scopes or not conditions:
        return any(not scope for scope in scopes)
    pairs = [each.partition("=") for each in _CONDITION.split(conditions)]
    return any(all(fnmatchcase(scope.get(name, ""), glob) for name, _, glob in pairs) for scope in scopes)


def state_style(event: Event) -> str:
    """Return the style of an incident's state."""
    if not opened(event):
        return PLAIN if lasting(event) else DIM
    return ALARM if event.level == "alarm" else WARN


def metric_name(metric: str) -> str:
    """Return a figure's name as the screen writes it: `tokens/request`."""
    return _NAMES.get(metric) or metric.replace("_per_", "/").replace("_", " ")


def said(event: Event) -> str:
    """Return what an incident's text says besides when it was and what it came to."""
    return sentence(_TOLD_BESIDE.sub("", event.text))


def cause(event: Event, room: int | None = None) -> str:
    """Return why, and how much of the rise that is, without how many times and since when: that is told beside it.

    Dollars are left out: they are since the time before, and those beside it beyond the expected. How much of the rise
    it is stands where there is `room` (cells) for it.
    """
    told = _TIMES.sub("", event.cause) if _TIMES.search(event.text.partition(": ")[2]) else event.cause
    if found := _SHARE.match(told):
        short, whole = sentence(found[1]), sentence(f"{found[1]}: {found[2]} of the rise")
        return whole if room is None or len(whole) <= room else short
    return sentence(_SINCE.sub("", told))


def subject(event: Event) -> str:
    """Return what an incident is about in a few words: `gpt-4o $/h`."""
    return f"{' '.join(event.scope.values()) or 'everything'} {metric_name(event.metric)}".strip()


def figure(metric: str, value: float | None) -> str:
    """Return a value of `metric` as text."""
    if "million" in metric:
        return fmt.per_million(value)
    if "usd" in metric:
        return fmt.unit_money(value) if metric.endswith("request") else fmt.money(value)
    if metric.endswith(("ratio", "share")):
        return fmt.percent(value)
    if "seconds" in metric or metric in ("ttft", "inter_token"):
        return f"{fmt.seconds(value)} s"
    return fmt.rate(value) if metric.endswith("per_second") else fmt.count(value)


def signed(value: float | None) -> str:
    """Return USD with its sign: +2.65, -0.40; what rounding leaves of nothing is 0.00."""
    if fmt.known(value) and abs(value) < _ROUNDING:
        return fmt.money(0.0)
    return f"+{fmt.money(value)}" if fmt.known(value) and value > 0 else fmt.money(value)
