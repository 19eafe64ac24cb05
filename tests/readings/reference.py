"""The same pages as prometheus_client reads them, in a form that both readers' results can be compared in."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client.parser import text_string_to_metric_families

from infertop.readings.exposition import Exposition, Page, RawSeries
from infertop.readings.exposition_kin import Kin


def reference(text: str) -> dict[RawSeries, str]:
    """Map each series to its value; the first of duplicates counts."""
    samples: dict[RawSeries, str] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series = RawSeries(sample.name, tuple(sorted(sample.labels.items())))
            samples.setdefault(series, spelt(sample.value))
    return samples


def spelt(value: float) -> str:
    """Write a value so that NaN equals NaN, and -0 equals 0 as it does for numbers."""
    return repr(float(value) + 0.0)


def named_alike(page: Page) -> dict[RawSeries, str]:
    """Return our samples; prometheus_client appends `_total` to the counters that are declared without it."""
    samples: dict[RawSeries, str] = {}
    for (name, labels), value in zip(page.layout.series, page.values, strict=True):
        counter = page.layout.types.get(name) == "counter" and not name.endswith("_total")
        samples[RawSeries(name + "_total" if counter else name, labels)] = spelt(value)
    return samples


def said(page: Page) -> tuple[object, ...]:
    """Return all that a page said, without the order of its series."""
    values = {series: repr(value) for series, value in zip(page.layout.series, page.values, strict=True)}
    assert len(values) == len(page.values)
    return values, page.layout.types, page.rejected, page.first_rejected


def alone(wanted: Collection[str] | None) -> Exposition:
    """Return a reader that has nothing of another's shapes: it reads its first page line by line."""
    return Exposition(wanted, Kin())
