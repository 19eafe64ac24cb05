"""What a service of AWS counted, as usage: CloudWatch's metrics of a namespace by model, in minutes and hours.

Which metrics there are is asked before: those of the last three hours for minutes, of the last two weeks for hours.
What was used longer ago, and not since, is not listed by CloudWatch, and so is not read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors._cloudwatch import CloudWatch, Metric
from collectors._provider_account import Told
from collectors._provider_buckets import Say, told_of
from collectors._provider_pages import Paged, Row
from collectors._provider_plan import MINUTE, Span
from infertop.readings.safe import safe

_LISTED_SECONDS = {True: 270.0, False: 3500.0}
_FAULTS_SHOWN = 3

Who = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace of CloudWatch: its metrics by the dimensions `by` alone, and the fields that they are read as.

    Of two metrics with one field the first stands: they are names of the same. `faults` are metrics of what failed.
    `otherwise` is read in its stead where it does not have all the fields that it `needs`.
    """

    name: str
    by: tuple[str, ...]
    fields: Mapping[str, str]
    faults: Mapping[str, str] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    otherwise: Namespace | None = None


class CloudWatchUsage:
    """Reads spans of families, each of which is a namespace; `say` makes a statement of a row.

    A row has the dimensions and fields of its namespace.
    """

    def __init__(self, watch: CloudWatch, families: Mapping[str, Namespace], say: Say) -> None:
        self._watch = watch
        self._families = families
        self._say = say
        self._listed: dict[tuple[str, bool], tuple[float, list[Metric]]] = {}

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        family = self._families[span.family]
        listed = await self._metrics(family.name, span.width == MINUTE, ts)
        metrics = _chosen(listed, family)
        if family.otherwise is not None and not family.needs <= {name for _, name in metrics.values()}:
            family = family.otherwise
            metrics = _chosen(listed, family)
        sums = await self._watch.sums(list(metrics), span.start, span.end, span.width) if metrics else {}
        found: dict[int, dict[Who, dict[str, Any]]] = {}
        for metric, (who, name) in metrics.items():
            for at, amount in sums[metric].items():
                found.setdefault(at, {}).setdefault(who, {})[name] = amount
        rows: list[Row] = [
            {"start": at, "end": at + span.width, "results": list(_results(whos, family))}
            for at, whos in sorted(found.items())
        ]
        told = told_of(Paged(rows), span, ts, f"CloudWatch's {family.name}", self._say, "start", "end")
        return told._replace(note=told.note or _faults(found, family)) if span.width == MINUTE else told

    async def _metrics(self, namespace: str, recent: bool, ts: float) -> list[Metric]:
        at, known = self._listed.get((namespace, recent), (float("-inf"), []))
        if ts - at >= _LISTED_SECONDS[recent]:
            known = await self._watch.metrics(namespace, recent=recent)
            self._listed[namespace, recent] = (ts, known)
        return known


def _chosen(listed: Iterable[Metric], family: Namespace) -> dict[Metric, tuple[Who, str]]:
    """Return the metrics that are read, in the family's order: with its dimensions alone, each field once."""
    names = {**family.fields, **family.faults}
    order = {name: number for number, name in enumerate(names)}
    chosen: dict[tuple[Who, str], Metric] = {}
    wanted = tuple(sorted(family.by))
    for metric in sorted(listed, key=lambda each: (order.get(each.name, 0), each)):
        if metric.name in names and tuple(name for name, _ in metric.dimensions) == wanted:
            chosen.setdefault((metric.dimensions, names[metric.name]), metric)
    return {metric: key for key, metric in chosen.items()}


def _results(whos: Mapping[Who, Mapping[str, Any]], family: Namespace) -> Iterable[dict[str, Any]]:
    """Yield what was used, and by whom it was; failures are none."""
    for who, counts in sorted(whos.items()):
        used = {name: amount for name, amount in counts.items() if name not in family.faults.values()}
        if any(used.values()):
            yield {**dict(who), **used}


def _faults(found: Mapping[int, Mapping[Who, Mapping[str, int]]], family: Namespace) -> str:
    """Return what failed in the minutes that were read as a sentence, empty where nothing did."""
    sums: dict[tuple[str, str], int] = {}
    for whos in found.values():
        for who, counts in whos.items():
            for name in family.faults.values():
                model = " ".join(value for _, value in who)
                sums[model, name] = sums.get((model, name), 0) + counts.get(name, 0)
    worst = sorted(((amount, *key) for key, amount in sums.items() if amount), reverse=True)
    said = [f"{safe(model, 60)}: {amount} {name}" for amount, model, name in worst[:_FAULTS_SHOWN]]
    return f"in the last two hours: {', '.join(said)}" if said else ""
