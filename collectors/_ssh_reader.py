"""What infertop's own reader says on another machine (`infertop reader`): GPUs as JSON lines.

    {"reader": 1}                                          what follows is of this form
    {"shape": [["gpu_info", {"gpu": "GPU-…"}], …]}         the series of the readings from here on
    {"values": [1.0, …]}                                   one reading
    {"problem": "a sentence", "absent": false}             or why there is none; absent: no GPU is there at all

Only what the registry knows of GPUs is taken, and only numbers: the other side may be anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infertop.readings.model import Series
from infertop.readings.registry import METRICS

PROTOCOL = 1
_MOST_SERIES, _LONGEST_LABEL = 20_000, 512
_METRICS = {name: frozenset(metric.labels) for name, metric in METRICS.items() if name.startswith("gpu_")}

Rows = dict[Series, float]


class Reader:
    """Takes the lines of one reader. `problem` is what it says instead of a reading, `absent` that there is no GPU."""

    def __init__(self, index: Callable[[str], str], host: str) -> None:
        self._index = index
        self._host = host
        self._shape: list[Series | None] = []
        self.problem = ""
        self.absent = False

    def take(self, line: str) -> Rows | None:
        """Take a line; return a reading where it is one, raise ValueError where it cannot be read."""
        try:
            said = json.loads(line)
        except RecursionError:
            raise ValueError from None
        if not isinstance(said, dict):
            raise ValueError
        if isinstance(said.get("problem"), str):
            self.problem, self.absent = said["problem"], said.get("absent") is True
        elif isinstance(said.get("shape"), list):
            self._shape = [self._series(each) for each in said["shape"][:_MOST_SERIES]]
        elif isinstance(said.get("values"), list):
            self.problem, self.absent = "", False
            return self._reading(said["values"])
        return None

    def _reading(self, values: list[Any]) -> Rows:
        if len(values) != len(self._shape):
            raise ValueError
        pairs = zip(self._shape, values, strict=True)
        return {series: float(value) for series, value in pairs if series is not None and _is_number(value)}

    def _series(self, said: object) -> Series | None:
        if (
            not isinstance(said, list)
            or len(said) != 2
            or not isinstance(said[0], str)
            or not isinstance(said[1], dict)
        ):
            return None
        known, labels = _METRICS.get(said[0]), said[1]
        if (
            known is None
            or not known >= labels.keys()
            or not labels.get("gpu")
            or not all(map(_is_label, labels.values()))
        ):
            return None
        if said[0] == "gpu_info":
            labels = {**labels, "index": self._index(labels.get("index", "")), "host": self._host}
        return Series.of(said[0], **labels)


def shape_line(series: Iterable[Series]) -> str:
    """Return the line that says which series the next readings have."""
    return json.dumps({"shape": [[each.metric, dict(each.labels)] for each in series]}, separators=(",", ":"))


def values_line(values: Iterable[float]) -> str:
    """Return the line of one reading."""
    return json.dumps({"values": [round(value, 6) for value in values]}, separators=(",", ":"), allow_nan=False)


def object_line(said: Mapping[str, object]) -> str:
    """Return any other line."""
    return json.dumps(said, separators=(",", ":"))


def _is_label(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_LABEL


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
