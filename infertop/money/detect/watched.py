"""One figure that is watched: its detector and its incidents behind one door.

Who watches gives each closed minute (or any other span) once, in the order of time: `add(start, value)`. Values may
come by the minute or by ten: what has to last is counted in time and in points. A minute without a value is left out;
one that is not after the last is ignored (it was told before). After a restart `load` what `dump` returned and add what
came since; the same values make the same incidents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from infertop.money.detect.detector import Detector
from infertop.money.detect.incidents import Incident, Incidents, Rule

USUAL = Rule()


class Watched:
    """The incidents of one figure: at most one lasts at a time.

    `rule` says what makes one. `zone` is where hours and weekdays are counted, UTC where it is None: with it, a day
    that is an hour longer or shorter is no change of traffic.
    """

    __slots__ = ("_detector", "_incidents", "_last", "rule", "zone")

    def __init__(self, rule: Rule = USUAL, zone: tzinfo | None = None) -> None:
        self.rule = rule
        self.zone = zone
        self._detector = Detector()
        self._incidents = Incidents(rule)
        self._last: float | None = None

    @property
    def current(self) -> Incident | None:
        """The incident that lasts, with what it came to so far; None where there is none."""
        return self._incidents.current

    def add(self, ts: float, value: float, usd_per_hour: float | None = None, weight: float = 1.0) -> Incident | None:
        """Take the value of the span that starts at `ts`; return the incident that it opened or closed, if any.

        `usd_per_hour` is what the scope cost an hour in that span: of it the dollars at stake are reckoned where the
        figure itself is not $/hour (`Rule.in_usd`); None is unknown. `weight` is how much the value stands on where
        spans are averaged: the requests behind tokens per request.
        """
        if self._last is not None and ts <= self._last:
            return None
        verdict = self._detector.add(ts, value)
        if verdict is None:
            return None
        self._last = ts
        return self._incidents.add(ts, value, verdict)

    def rebase(self, factor: float) -> None:
        """Say that from now on the same traffic has `factor` times the value: a price was changed in the file."""

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        return {"last": self._last, "detector": self._detector.dump(), "incidents": self._incidents.dump()}

    @classmethod
    def load(cls, state: Mapping[str, Any], rule: Rule = USUAL, zone: tzinfo | None = None) -> Watched:
        """Return what `dump` told of; raise ValueError where the state is of another format."""
        watched = cls(rule, zone)
        try:
            watched._last = state["last"]
            watched._detector = Detector.load(state["detector"])
            watched._incidents.load(state["incidents"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"a watched figure's state cannot be read: {error!r}") from None
        return watched
