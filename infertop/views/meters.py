"""What the live state says over the window: rates, means and latencies of one source and model, ranks together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from infertop.engine.state import State
from infertop.engine.track import Bins, Track
from infertop.money.engine_shape import said_twice
from infertop.money.split import PhaseSeconds
from infertop.readings.histogram import add, mean, quantile
from infertop.readings.model import LOCAL, Buckets
from infertop.views.shapes import Quantiles

_COUNTED = ("output_tokens", "requests", "prompt_tokens", "input_tokens")
_TELLING = (*_COUNTED, "running", "waiting")
_LOADED = "model_memory_bytes"


class Increase(NamedTuple):
    """What a counter rose by, and over how many seconds that was measured."""

    amount: float
    seconds: float

    @property
    def per_second(self) -> float | None:
        """The rate, None where no time was measured."""
        return self.amount / self.seconds if self.seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Meters:
    """The state over the last `window` seconds. Whatever is not reported, or not yet measured, is None."""

    state: State
    window: float

    def models(self, source: str) -> tuple[str, ...]:
        """Return the models that a source reports, in alphabetical order.

        One of which only is known that it was loaded is gone when it is not any more.
        """
        told = {track.series.label("model") for metric in _TELLING for track in self.state.tracks(source, metric)}
        told.update(track.series.label("model") for track in self.tracks(source, _LOADED))
        return tuple(sorted(model for model in told if model is not None))

    def serves(self, source: str) -> bool:
        """Say whether a source reports a model."""
        said = (track for metric in _TELLING for track in self.state.tracks(source, metric))
        return any(track.series.label("model") is not None for track in said) or bool(self.models(source))

    def providers(self, source: str, model: str) -> tuple[str, ...]:
        """Return who serves a model: one's own engine, or those that a gateway names."""
        tracks = (track for metric in _COUNTED for track in self.state.tracks(source, metric, model=model))
        return tuple(sorted({each.series.label("provider") or LOCAL for each in tracks})) or (LOCAL,)

    def tracks(self, source: str, metric: str, **labels: str) -> Iterator[Track]:
        """Iterate over the series of a metric that carry these labels and are not stale."""
        return (track for track in self.state.tracks(source, metric, **labels) if not track.stale)

    def increase(self, source: str, metric: str, **labels: str) -> Increase | None:
        """Return what the counters rose by together, None before two polls."""
        return self._rise(self.tracks(source, metric, **labels))

    def rate(self, source: str, metric: str, **labels: str) -> float | None:
        """Return the counters' rise a second."""
        rise = self.increase(source, metric, **labels)
        return rise.per_second if rise else None

    def by_reason(self, source: str, metric: str, model: str) -> dict[str, float]:
        """Return the counters' rise a second by reason, the most frequent first; one without a reason has "".

        What engine and server both count is there once.
        """
        chosen = tuple(self.tracks(source, metric, model=model))
        series = [track.series for track in chosen]
        rates: dict[str, float] = {}
        for track in chosen:
            rise = None if said_twice(track.series, series) else track.increase(self.window)
            if rise is not None and rise.seconds > 0:
                reason = track.series.label("reason") or ""
                rates[reason] = rates.get(reason, 0.0) + rise.amount / rise.seconds
        return dict(sorted(rates.items(), key=lambda each: -each[1]))

    def total(self, source: str, metric: str, **labels: str) -> float | None:
        """Return the sum of the newest values: requests running on all ranks, say."""
        values = _known(track.last for track in self.tracks(source, metric, **labels))
        return sum(values) if values else None

    def mean(self, source: str, metric: str, **labels: str) -> float | None:
        """Return the mean over the window, and over the series."""
        means = _known(track.mean(self.window) for track in self.tracks(source, metric, **labels))
        return sum(means) / len(means) if means else None

    def current_mean(self, source: str, metric: str, **labels: str) -> float | None:
        """Return the mean of the newest values: how full the caches of all ranks are, say."""
        values = _known(track.last for track in self.tracks(source, metric, **labels))
        return sum(values) / len(values) if values else None

    def even_mean(self, source: str, metric: str, **labels: str) -> float | None:
        """Return the mean over the window of what changes evenly from poll to poll, and over the series."""
        means = _known(track.even_mean(self.window) for track in self.tracks(source, metric, **labels))
        return sum(means) / len(means) if means else None

    def covered(self, source: str, metric: str) -> float:
        """Return how many seconds of the window were measured, by the series of a metric."""
        return max((track.covered(self.window) for track in self.tracks(source, metric)), default=0.0)

    def peak(self, source: str, metric: str, **labels: str) -> float | None:
        """Return the highest value in the window of any series."""
        peaks = _known(track.max(self.window) for track in self.tracks(source, metric, **labels))
        return max(peaks, default=None)

    def bins(self, source: str, metric: str, end: float, count: int, **labels: str) -> Bins:
        """Return the rate of the counters, all together, in each of `count` spans of the window up to `end`."""
        chosen = list(self.tracks(source, metric, **labels))
        rows = [track.bins(end - self.window, end, count) for track in chosen]
        return _together(rows)

    def trend(self, source: str, metric: str, count: int, **labels: str) -> Bins:
        """Return `bins` up to the end of the last whole span: the same until another one is over."""
        return _together([track.trend(self.window, count) for track in self.tracks(source, metric, **labels)])

    def tokens(self, source: str, model: str) -> Mapping[str, float | None]:
        """Return tokens in the window by disjoint class; None for a class that the engine does not report.

        Where prompt tokens include cached ones, those are taken out. An engine that does not tell cached tokens apart
        has all of its prompt tokens in `input`.
        """
        cached = self.increase(source, "cached_tokens", model=model)
        fresh = self.increase(source, "input_tokens", model=model)
        prompt = self.increase(source, "prompt_tokens", model=model)
        output = self.increase(source, "output_tokens", model=model)
        if fresh is None and prompt is not None:
            fresh = Increase(max(prompt.amount - (cached.amount if cached else 0.0), 0.0), prompt.seconds)
        each = {"input": fresh, "cache_read": cached, "output": output}
        return {name: rise.amount if rise else None for name, rise in each.items()}

    def phases(self, source: str, model: str) -> PhaseSeconds | None:
        """Return the GPU time of prompts and of generation in the window, None where the engine does not tell both."""
        prefill = self.increase(source, "prefill_gpu_seconds_total", model=model)
        decode = self.increase(source, "decode_gpu_seconds_total", model=model)
        return PhaseSeconds(prefill.amount, decode.amount) if prefill and decode else None

    def seconds(self, source: str, model: str) -> float | None:
        """Return how long the window really was for a model's counters."""
        rises = (self.increase(source, metric, model=model) for metric in _COUNTED)
        return max((rise.seconds for rise in rises if rise and rise.seconds > 0), default=None)

    def quantiles(self, source: str, metric: str, model: str) -> Quantiles:
        """Return the quantiles of what a histogram observed in the window, its ranks together."""
        chosen = self.tracks(source, metric, model=model)
        parts = [each for track in chosen if (each := track.buckets(self.window))]
        return _quantiles(add(parts)) if parts else Quantiles()

    def stated(self, source: str, metric: str, model: str) -> Quantiles:
        """Return the quantiles that an engine states itself, without bounds."""
        chosen = self.tracks(source, metric, model=model)
        said = {track.series.label("quantile"): track.last for track in chosen if track.last is not None}
        p50, p95, p99 = ((None, said.get(name), None) for name in ("0.5", "0.95", "0.99"))
        return Quantiles(p50, p95, p99, count=float(len(said)))

    def _rise(self, tracks: Iterable[Track]) -> Increase | None:
        found = [each for track in tracks if (each := track.increase(self.window))]
        if not found:
            return None
        return Increase(sum(each.amount for each in found), max(each.seconds for each in found))


def _together(rows: Iterable[Bins]) -> Bins:
    return tuple(sum(known) if (known := _known(column)) else None for column in zip(*rows, strict=True))


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _quantiles(buckets: Buckets) -> Quantiles:
    p50, p95, p99 = (quantile(buckets, q) for q in (0.5, 0.95, 0.99))
    return Quantiles(p50, p95, p99, mean=mean(buckets), count=buckets.observations)
