"""A State that one source feeds, poll by poll."""

import math

from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.readings.model import Batch, Buckets, Series

TOKENS = Series.of("output_tokens", model="m")
REQUESTS = Series.of("requests", model="m", reason="stop")
RUNNING = Series.of("running", model="m")
TTFT = Series.of("ttft_seconds", model="m")
INF = math.inf


class Rig:
    """A State that one source feeds."""

    def __init__(self, interval=1.0):
        self.state = State()
        self.shape = ()
        self.health(interval=interval)

    def health(self, state=SourceState.UP, interval=1.0, ts=None):
        health = Health("s", "vllm", state, good_ts=ts, tried_ts=ts, interval_seconds=interval)
        self.state.apply_health(health)

    def poll(self, ts, values, started=None):
        if self.shape != tuple(values):
            self.shape = tuple(values)
        self.state.apply(Batch("s", ts, self.shape, tuple(values.values()), started))

    def polls(self, times, values):
        """Poll at each of `times`; `values` maps each series to a function of time."""
        for ts in times:
            self.poll(ts, {series: value(ts) for series, value in values.items()})

    def track(self, series):
        return next(each for each in self.state.tracks("s", series.metric) if each.series == series)


def buckets(*counts, total=0.0):
    return Buckets((0.1, 1.0, INF), tuple(map(float, counts)), total)
