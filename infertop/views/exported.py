"""What `infertop exporter` serves: the overview as gauges, and the ledger's sums as counters.

Every family is always there, also without samples; what is unknown has no sample and is never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from infertop.history.counted import Counted, Used
from infertop.money.lines import NANO
from infertop.money.overlap import Counts
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.exposition import Family, clean
from infertop.views.incident_text import KIND, unusual
from infertop.views.rising import OTHER, Bounded, Name, Rising
from infertop.views.shapes import Overview

MOST_PLACES = 1000
_MOST_ROWS = 1000
_USD = "usd_per_hour"
_APART = "by sources that only tell who used what another source counts; part of no total"
_BY_MODEL = (
    "What a model costs an hour now, idle time of its GPUs included; with unheld, and the host where no model carries"
    " it, this is the total."
)
_RATES = (
    "Tokens a second now, by disjoint classes: of engines over the window, of APIs over the newest minutes told whole."
)
_FORECAST = "What will have been spent by the period's end; low and high hold the truth in 80 % of the cases."
_INCIDENT_LABELS = ("source", "provider", "model", "key", "project")
_UP = {"up": 1, "stale": 0, "down": 0, "auth": 0}

Gauge = partial(Family, kind="gauge")
Counter = partial(Family, kind="counter")
Sums = dict[tuple[str, ...], int]


class Exported:
    """Makes the families of a page. It remembers the counters, so that they never fall, and which series there are."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._bounded: Bounded[Name] = Bounded(MOST_PLACES, (OTHER, OTHER, OTHER))
        self._rising: dict[str, Rising] = {}

    def families(self, view: Overview, counted: Counted, counts: Counts, *, recording: bool) -> list[Family]:
        """Return the page of `view` and `counted`; `counts` says what is part of totals.

        `recording` says whether somebody writes the history.
        """
        self._bounded.let_in(_ordered(counted))
        return [
            *self._per_hour(view),
            self._rates(view),
            *self._counters(counted, counts),
            _unassigned(view),
            *_budgets(view),
            self._anomalies(view),
            *_incidents(view),
            *_sources(view),
            *self._own(view, counted, recording),
        ]

    def _per_hour(self, view: Overview) -> Iterable[Family]:
        by_model = Gauge("infertop_usd_per_hour", help=_BY_MODEL, unit=_USD)
        rows = [(row.source, row.provider, row.model, row.usd_per_hour) for row in view.models if row.counts]
        rows += [
            (row.name, row.provider, "" if set("*?[") & set(row.model) else row.model, row.usd_per_hour)  # as booked
            for row in view.deployments
            if row.counts
        ]
        self._bounded.let_in(_name(*row[:3]) for row in rows)
        sums: dict[Name, float] = {}
        for source, provider, model, usd in rows:
            if usd is not None:
                name = self._bounded.of(_name(source, provider, model))
                sums[name] = sums.get(name, 0.0) + usd
        for name, usd in sums.items():
            by_model.add(usd, **_labels(name))
        yield by_model
        head = view.headline
        for kind, usd_per_hour, text in (
            ("total", head.usd_per_hour, "All that is spent an hour now: gpu + host + api."),
            ("gpu", head.gpu_usd_per_hour, "What the GPUs cost an hour, used or not."),
            ("host", head.host_usd_per_hour, "What the machine costs an hour beside its GPUs."),
            ("api", head.api_usd_per_hour, "What is spent at providers by the hour."),
            ("idle", head.idle_usd_per_hour, "The part of gpu in which nothing ran, held or not."),
            ("unheld", head.unheld_usd_per_hour, "The part of gpu whose memory no model holds."),
        ):
            family = Gauge(f"infertop_{kind}_usd_per_hour", help=text, unit=_USD)
            family.add(usd_per_hour)
            yield family

    def _rates(self, view: Overview) -> Family:
        """Return tokens a second by class, of engines and of what APIs tell alike; called once all names are let in."""
        family = Gauge("infertop_tokens_per_second", help=_RATES)
        sums: dict[tuple[Name, str], float] = {}
        for row in view.models:
            if row.counts:
                name = self._bounded.of(_name(row.source, row.provider, row.model))
                for each in TOKEN_CLASSES:
                    if (rate := row.tokens_per_second.get(each)) is not None:
                        sums[name, each] = sums.get((name, each), 0.0) + rate
        for (name, each), rate in sums.items():
            family.add(rate, **_labels(name), **{"class": each})
        return family

    def _counters(self, counted: Counted, counts: Counts) -> Iterable[Family]:
        for prefix, wanted, note in (("", True, "in all closed minutes"), ("attributed_", False, _APART)):
            places = {place: used for place, used in counted.places.items() if _counts(counts, place) is wanted}
            yield self._counter(f"{prefix}cost_usd", "usd", f"What was spent, by the ledger, {note}.", places, _cost)
            yield self._counter(
                f"{prefix}tokens", "tokens", f"Tokens by class, {note}; the classes are disjoint.", places, _tokens
            )
            yield self._counter(f"{prefix}requests", "requests", f"Requests, {note}.", places, _requests)
        text = "Tokens whose price should be known and is not; they are in no sum of dollars."
        yield self._counter("unpriced_tokens", "tokens", text, counted.places, _unpriced)

    def _counter(
        self, name: str, unit: str, text: str, places: Mapping[Name, Used], amounts: Callable[[Used], Mapping[str, int]]
    ) -> Family:
        sums: Sums = {}
        for place, used in places.items():
            for token_class, amount in amounts(used).items():
                key = (*self._bounded.of(_name(*place)), token_class)
                sums[key] = sums.get(key, 0) + amount
        family = Counter(f"infertop_{name}", help=text, unit=unit)
        money = unit == "usd"
        for (*place_shown, token_class), amount in self._rising.setdefault(name, Rising()).take(sums).items():
            source, provider, model = place_shown
            labels = _labels((source, provider, model)) | ({"class": token_class} if token_class else {})
            family.samples[tuple(labels.items())] = f"{amount // NANO}.{amount % NANO:09d}" if money else str(amount)
        return family

    def _anomalies(self, view: Overview) -> Family:
        family = Gauge("infertop_anomalies", help="1 for each figure that has left its baseline, while it lasts.")
        marks = [each for each in view.events if each.kind == "mark" and each.until is None]
        for mark in marks[:_MOST_ROWS]:
            source, model = (mark.scope.get(key, "") for key in ("source", "model"))
            family.add(1, metric=mark.metric, source=source, model=model)
        return family

    def _own(self, view: Overview, counted: Counted, recording: bool) -> Iterable[Family]:
        family = Gauge("infertop_recording", help="1 while the history is being written, here or by another infertop.")
        family.add(int(recording))
        yield family
        name = "infertop_ledger_closed_timestamp_seconds"
        family = Gauge(name, help="Up to when the counters have counted.", unit="seconds")
        family.add(counted.closed or None)
        yield family
        family = Gauge("infertop_series_folded", help=f"1 where places beyond {MOST_PLACES} are shown as {OTHER}.")
        family.add(int(len(self._bounded) >= MOST_PLACES))
        yield family
        family = Family("infertop_build", "info", "The version of infertop that serves this page.")
        family.add(1, version=self._version, mode=view.mode)
        yield family


def _unassigned(view: Overview) -> Family:
    text = "The share of today's dollars that [[assign]] gives to nobody, for each dimension that it gives."
    family = Gauge("infertop_unassigned_ratio", help=text, unit="ratio")
    for dimension, share in view.unassigned:
        family.add(share, dimension=dimension)
    return family


def _budgets(view: Overview) -> Iterable[Family]:
    spent = Gauge("infertop_budget_spent_usd", help="Spent in the budget's running period.", unit="usd")
    limit = Gauge("infertop_budget_limit_usd", help="The budget's limit.", unit="usd")
    share = Gauge("infertop_budget_fraction", help="Spent over limit; 1 and more is over.")
    forecast = Gauge("infertop_budget_forecast_usd", help=_FORECAST, unit="usd")
    low = Gauge("infertop_budget_forecast_low_usd", help=_FORECAST, unit="usd")
    high = Gauge("infertop_budget_forecast_high_usd", help=_FORECAST, unit="usd")
    over = Gauge("infertop_budget_over_probability", help="How likely the limit is reached by the period's end.")
    name = "infertop_budget_exhausted_timestamp_seconds"
    gone = Gauge(name, help="When the limit is reached, by the forecast.", unit="seconds")
    for row in view.budgets[:_MOST_ROWS]:
        labels = {"budget": row.name, "period": row.period} | ({"origin": row.origin} if row.origin else {})
        spent.add(row.spent_usd, **labels)
        limit.add(row.limit_usd, **labels)
        share.add(row.fraction, **labels)
        for family, value in zip((low, forecast, high), row.forecast_usd, strict=True):
            family.add(value, **labels)
        over.add(row.over, **labels)
        gone.add(row.exhausted_at, **labels)
    return spent, limit, share, forecast, low, high, over, gone


def _sources(view: Overview) -> Iterable[Family]:
    up = Gauge("infertop_source_up", help="1 where a source answers, 0 where it does not (any more).")
    age = Gauge("infertop_source_age_seconds", help="Time since the source was last read.", unit="seconds")
    for row in view.sources[:_MOST_ROWS]:
        labels = {"source": row.name, "kind": row.kind}
        up.add(_UP.get(row.state), **labels)
        if row.state in _UP:  # what is not on this machine has no age, and what is starting none yet
            age.add(row.age_seconds, **labels)
    return up, age


def _counts(counts: Counts, place: Name) -> bool:
    source, provider, model = place
    return counts(source, provider, model or None)


def _ordered(counted: Counted) -> Iterable[Name]:
    """Return the places, the dearest first, then by tokens."""
    by_use = sorted(
        counted.places.items(), key=lambda each: (-(each[1].usd_nano or 0), -sum(each[1].tokens.values()), each[0])
    )
    return (_name(*place) for place, _ in by_use)


def _name(source: str, provider: str, model: str) -> Name:
    return clean(source), clean(provider), clean(model)


def _labels(name: Name) -> dict[str, str]:
    return dict(zip(("source", "provider", "model"), name, strict=True))


def _cost(used: Used) -> Mapping[str, int]:
    return {} if used.usd_nano is None else {"": used.usd_nano}


def _tokens(used: Used) -> Mapping[str, int]:
    return used.tokens


def _requests(used: Used) -> Mapping[str, int]:
    return {} if used.requests is None else {"": used.requests}


def _unpriced(used: Used) -> Mapping[str, int]:
    return {} if used.unpriced is None else {"": used.unpriced}


def _incidents(view: Overview) -> Iterable[Family]:
    """Yield what the incidents that last come to: those that cost most an hour, a bounded number."""
    lasting = [each for each in unusual(view.events) if each.kind == KIND][:_MOST_ROWS]
    so_far = Gauge("infertop_incident_excess_usd", help="Beyond what was expected, by incidents that last.", unit="usd")
    now = Gauge("infertop_incident_excess_usd_per_hour", help="What each adds an hour now.", unit=_USD)
    for each in lasting:
        labels = {name: each.scope.get(name, "") for name in _INCIDENT_LABELS}
        so_far.add(each.excess_usd, metric=each.metric, state=each.state, **labels)
        now.add(each.excess_usd_per_hour, metric=each.metric, state=each.state, **labels)
    return so_far, now
