"""The two windows that are compared: presets that follow the clock, and windows that were moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tui.format import span
from tui.moments import zone

Window = tuple[float, float]
PRESETS = (
    "the last hour, the hour before",
    "the last hour, the same hour yesterday",
    "the last hour, the same hour last week",
    "today, yesterday until this time",
    "this week, last week until this time",
)
"""What is compared with what: the later window first, as it is spoken of."""
_DAYS_BACK = (0, 1, 7, 1, 7)
LENGTHS = (300.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 259_200.0, 604_800.0)
"""How wide windows can be made, in seconds."""
BOTH, BEFORE, AFTER = "both", "before", "after"
SIDES = (BOTH, BEFORE, AFTER)
MOVED = {BOTH: "keys move both windows", BEFORE: "keys move the window before", AFTER: "keys move the window after"}
_HOUR, _MINUTE = 3600.0, 60.0
_STEPS = 4
_OLDEST_DAYS = 400 * 86_400.0


def preset(number: int, now: float, timezone: str) -> tuple[Window, Window]:
    """Return (before, after) of a preset: whole minutes, days and hours by the clock on the wall of `timezone`."""
    end = now // _MINUTE * _MINUTE
    if number == 0:
        return (end - 2 * _HOUR, end - _HOUR), (end - _HOUR, end)
    here = zone(timezone)
    local = datetime.fromtimestamp(end, here)
    if number < 3:
        start = end - _HOUR
    else:
        begun = local - timedelta(seconds=_MINUTE)  # at midnight the day that has ended
        midnight = begun.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        monday = midnight - timedelta(days=midnight.weekday() if number == 4 else 0)
        start = monday.timestamp()
    back = timedelta(days=_DAYS_BACK[number])
    then = datetime.fromtimestamp(start, here) - back
    if number < 3:
        return (then.timestamp(), then.timestamp() + _HOUR), (start, end)
    return (then.timestamp(), (local - back).timestamp()), (start, end)


@dataclass(frozen=True, slots=True)
class Windows:
    """A preset, or the windows (`before`, `after`) that were moved by hand or are `of` something (in words).

    `side` is which of them keys move.
    """

    number: int = 0
    side: str = BOTH
    moved: tuple[Window, Window] | None = None
    of: str = ""

    def at(self, now: float, timezone: str) -> tuple[Window, Window]:
        """Return (before, after) as of `now`."""
        return self.moved or preset(self.number, now, timezone)

    @property
    def words(self) -> str:
        """What is compared, in words."""
        return self.of or ("windows of your own" if self.moved else PRESETS[self.number])

    def next(self) -> Windows:
        """Return the next preset; from windows of one's own the one that they were made of."""
        return replace(self, number=self.number if self.moved else (self.number + 1) % len(PRESETS), moved=None, of="")

    def turned(self, step: int) -> Windows:
        """Return these with keys moving the next of: both, before, after."""
        return replace(self, side=SIDES[(SIDES.index(self.side) + step) % len(SIDES)])

    def stepped(self, step: int, now: float, timezone: str) -> Windows:
        """Return them moved by `step` quarters of their width; none ends after now."""
        before, after = self.at(now, timezone)
        if self.side != AFTER:
            before = _shifted(before, step, now)
        if self.side != BEFORE:
            after = _shifted(after, step, now)
        return replace(self, moved=(before, after), of="")

    def widened(self, step: int, now: float, timezone: str) -> Windows:
        """Return them with the next longer or shorter width, up to where they end."""
        before, after = self.at(now, timezone)
        if self.side != AFTER:
            before = _resized(before, step)
        if self.side != BEFORE:
            after = _resized(after, step)
        return replace(self, moved=(before, after), of="")

    def lengths(self, now: float, timezone: str) -> str:
        """Return how wide they are: `1 h`, `1 h and 2 h`."""
        told = dict.fromkeys(span(end - start) for start, end in self.at(now, timezone))
        return " and ".join(told)


def _shifted(window: Window, step: int, now: float) -> Window:
    start, end = window
    by = max(_MINUTE, (end - start) / _STEPS // _MINUTE * _MINUTE) * step
    newest = now // _MINUTE * _MINUTE
    by = max(newest - _OLDEST_DAYS - start, min(by, newest - end))
    return start + by, end + by


def _resized(window: Window, step: int) -> Window:
    start, end = window
    width = end - start
    further = [each for each in LENGTHS if (each > width + 1 if step > 0 else each < width - 1)]
    wanted = (further[:1] if step > 0 else further[-1:]) or [width]
    return end - wanted[0], end
