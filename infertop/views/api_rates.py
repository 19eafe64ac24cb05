"""What APIs cost now: providers and agents' logs tell of use in statements, minutes after it happened.

A provider's newest minutes fill up for a while: what is shown is the mean of the last 15 minutes that it has whole, and
its age is that of their end. A quarter of an hour, because the traffic of one key comes in bursts, and because a
provider's minute of requests is often empty. What is older than 45 minutes is no rate of now: it is unknown. Logs are
told as they grow, so their minutes reach up to their last poll.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infertop.history.summary import Key, Summary, Totals, add_usd
from infertop.money.lines import NANO, Basis
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.wording import span

WINDOW_SECONDS = 900
OLDEST_SECONDS = 2700
_MINUTE = 60
_NOTHING = Totals(usd_nano=0)


@dataclass(frozen=True, slots=True)
class Teller:
    """A source that tells of use in statements, whole up to `until` (epoch seconds; None: not known).

    `recorded` says that only what was used while infertop ran is told, as of a gateway's counters.
    """

    source: str
    until: float | None
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The minutes of a source that are shown as now: [start, until), of which `seconds` are told; `why` none are.

    `told` is up to when it has told all, also where that is too long ago to be now.
    """

    start: float = 0.0
    until: float | None = None
    seconds: float = 0.0
    why: str = ""
    told: float | None = None


@dataclass(frozen=True, slots=True)
class ApiUse:
    """What a model of a source used in its window: None is unknown. `counted_nano` is the part of the cost that counts.

    `model` is None for what belongs to none (sessions of tools, storage). `counts`: something of it is part of totals.
    `basis` is "billed" where all of its cost is what was charged, "computed" where some of it was worked out.
    """

    source: str
    model: str | None
    providers: tuple[str, ...]
    window: Window
    used: Totals | None
    counted_nano: int | None
    counts: bool
    trend: tuple[float | None, ...] = ()
    basis: str = Basis.COMPUTED.value

    @property
    def usd_per_hour(self) -> float | None:
        """The cost an hour, whether it counts or not."""
        return None if self.used is None else self._hourly(self.used.usd_nano)

    @property
    def counted_usd_per_hour(self) -> float | None:
        """The part of it that counts, None where nothing does."""
        return self._hourly(self.counted_nano) if self.counts else None

    def _hourly(self, nano: int | None) -> float | None:
        return None if nano is None or not self.window.seconds else nano / NANO * 3600 / self.window.seconds


@dataclass(frozen=True, slots=True)
class ApiRates:
    """What every source that tells in statements used in its newest whole minutes."""

    windows: Mapping[str, Window] = field(default_factory=dict)
    uses: tuple[ApiUse, ...] = ()

    @property
    def usd_per_hour(self) -> float | None:
        """What is known of the cost an hour, of all that counts; None where nothing is."""
        known = [usd for each in self.uses if (usd := each.counted_usd_per_hour) is not None]
        return sum(known) if known else None

    def use(self, source: str, model: str | None) -> ApiUse | None:
        """Return what a model of a source used, None where it tells nothing of it."""
        return next((each for each in self.uses if each.source == source and each.model == model), None)


def api_rates(summary: Summary, tellers: Iterable[Teller], now: float) -> ApiRates:
    """Return what is told of the newest whole minutes, by source and model, of all that was used today or lately."""
    windows = {each.source: _window(each, summary, now) for each in tellers}
    keys: dict[Key, bool] = {key: key not in summary.apart for key in summary.today if key[0] in windows}
    sums: dict[Key, Totals] = {}
    counted: dict[Key, int | None] = {}
    for minute in summary.minutes:
        for key, row in minute.totals.items():
            window = windows.get(key[0])
            if window is None:
                continue
            keys[key] = keys.get(key, False) or key not in minute.apart
            if window.until is not None and window.start <= minute.start < window.until:
                sums[key] = sums[key].plus(row) if key in sums else row
                counted[key] = add_usd(counted.get(key), minute.counted(key))
    uses = (
        _use(summary, key, windows[key[0]], sums.get(key), counted.get(key), counts) for key, counts in keys.items()
    )
    return ApiRates(windows, tuple(sorted(uses, key=_dearest)))


def _use(summary: Summary, key: Key, window: Window, used: Totals | None, counted: int | None, counts: bool) -> ApiUse:
    silent = used is None and window.until is not None
    return ApiUse(
        source=key[0],
        model=key[1],
        providers=summary.providers.get(key, ()),
        window=window,
        # Minutes that are whole and have nothing in them cost nothing; of others nothing is known.
        used=_NOTHING if silent else used,
        counted_nano=0 if silent and counts else counted,
        counts=counts,
        trend=_trend(summary, key, window),
        basis=_basis(used, summary.today.get(key)),
    )


def _basis(*told: Totals | None) -> str:
    """Return how the cost of the first that has one was come by."""
    row = next((each for each in told if each is not None and each.usd_nano is not None), Totals())
    return (Basis.BILLED if row.usd_nano is not None and row.billed_nano == row.usd_nano else Basis.COMPUTED).value


def _window(teller: Teller, summary: Summary, now: float) -> Window:
    until = teller.until
    if until is None:
        return Window(why="no minute of it is known to be whole yet")
    if now - until > OLDEST_SECONDS:
        return Window(why=f"its newest whole minute is {span(now - until)} old: that is not now", told=until)
    start = -(-until // _MINUTE) * _MINUTE - WINDOW_SECONDS
    if not teller.recorded:
        return Window(start, until, until - start, told=until)
    covered = sum(each.covered_ms for each in summary.minutes if start <= each.start < until) / 1000
    if not covered:
        return Window(why="nothing was recorded yet", told=until)
    return Window(start, until, min(covered, until - start), told=until)


def _trend(summary: Summary, key: Key, window: Window) -> tuple[float | None, ...]:
    """Return output tokens a second, minute by minute, up to where the source has told all; none of dollars alone."""
    told = (summary.today.get(key), *(each.totals.get(key) for each in summary.minutes))
    counts_tokens = any(row is not None and not TOKEN_CLASSES.keys().isdisjoint(row.quantities) for row in told)
    if window.until is None or not counts_tokens:
        return ()
    made = {each.start: each.totals.get(key, _NOTHING).quantities.get("output", 0) for each in summary.minutes}
    last = int(window.until // _MINUTE * _MINUTE)
    return tuple(made.get(start, 0) / _MINUTE for start in range(last - 2 * WINDOW_SECONDS, last, _MINUTE))


def _dearest(use: ApiUse) -> tuple[float, str, str]:
    return -(use.usd_per_hour or 0.0), use.source, use.model or ""
