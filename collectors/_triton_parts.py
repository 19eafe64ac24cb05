"""What a reading of Triton's page becomes once it is known what its models are.

- A request to an ensemble is counted by it and again by each model inside. It is the ensemble's: of the models inside,
  requests are left out, also those of who calls them directly, which nothing tells apart.
- So it is with models that a Python model calls (BLS), where the source's `called` names them: nothing else tells.
- An ensemble runs nothing itself: its time and batches are those of the models inside, counted again.
- The page adds a batch's time once for each of its requests; the API has it once. Of a model on several GPUs, which the
  API does not tell apart, each gets an equal part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from collectors._page import Reading
from collectors._triton_api import Inside, Version
from infertop.readings.model import Series, Value

_REQUESTS = frozenset(
    {"requests", "requests_failed", "requests_aborted", "request_seconds_total", "request_seconds_quantile"}
)
_WORK = frozenset({"compute_seconds_total", "batches"})
_COMPUTE = "compute_seconds_total"


class _Kept(NamedTuple):
    """A series that stays: where it was, its name, and of which version's batch time it is which part (None: none)."""

    at: int
    series: Series
    version: Version | None = None
    parts: int = 1


class Parts:
    """Keeps of each reading what counts once; the tuple of series is the same object while the page's is.

    `called` are models of which somebody said that others call them: requests to them are those of who calls them.
    """

    def __init__(self, called: frozenset[str] = frozenset()) -> None:
        self._called = called
        self._seen: tuple[frozenset[object], ...] = ()
        self._page: tuple[Series, ...] = ()
        self._kept: tuple[_Kept, ...] = ()
        self._series: tuple[Series, ...] = ()

    def of(self, reading: Reading, inside: Inside, gpus: Collection[str] = ()) -> Reading:
        """Return the reading without what is counted again; `gpus` are those that the server has."""
        sets = (inside.known, inside.on_gpu, inside.steps.items(), inside.batch_seconds, gpus)
        seen = tuple(map(frozenset, sets))
        if seen != self._seen or reading.series is not self._page:
            self._seen, self._page = seen, reading.series
            self._kept = tuple(_kept(reading.series, inside, gpus, self._called))
            self._series = tuple(each.series for each in self._kept)
        values: tuple[Value, ...] = tuple(
            reading.values[each.at] if each.version is None else inside.batch_seconds[each.version] / each.parts
            for each in self._kept
        )
        return replace(reading, series=self._series, values=values)


def _kept(series: Sequence[Series], inside: Inside, gpus: Collection[str], called: frozenset[str]) -> Iterator[_Kept]:
    within = called.union(*inside.steps.values())
    compute = [each for each in series if each.metric == _COMPUTE]
    instances = Counter(map(_version, compute))
    # Some builds leave the GPU out. Where there is one only, that is it.
    only = next(iter(gpus)) if len(gpus) == 1 and not any(each.label("gpu") for each in compute) else ""
    for at, each in enumerate(series):
        model, version = each.label("model") or "", _version(each)
        if (each.metric in _REQUESTS and model in within) or (each.metric in _WORK and model in inside.steps):
            continue
        if each.metric != _COMPUTE or model not in inside.known:
            yield _Kept(at, each)
        elif version in inside.batch_seconds:
            gpu = {"gpu": only} if only and model in inside.on_gpu else {}
            # Another meter than the page's, and another again on more GPUs: no series goes on from what it is not.
            rank = "/".join((version[1], "batches", *([str(instances[version])] if instances[version] > 1 else [])))
            named = Series.of(_COMPUTE, **{**dict(each.labels), **gpu, "rank": rank})
            yield _Kept(at, named, version, instances[version])


def _version(series: Series) -> Version:
    return series.label("model") or "", series.label("rank") or ""
