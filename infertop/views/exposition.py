"""Figures as the text that Prometheus and its like read: OpenMetrics 1.0, or the older text format 0.0.4."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from infertop.readings.safe import REPLACEMENT

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]

_SUFFIX = {"counter": "_total", "info": "_info"}
_BEFORE_OPENMETRICS = {"info": "gauge"}
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_KEPT = "\n\t"


@dataclass(slots=True)
class Family:
    """A metric: its name without the suffix of its kind ("gauge", "counter" or "info"), and its samples.

    `unit` is the name's end, or empty. Values are written as they are to be read, so that money stays exact; the values
    of labels in `samples` are clean.
    """

    name: str
    kind: str
    help: str
    unit: str = ""
    samples: dict[Labels, str] = field(default_factory=dict)

    def add(self, value: float | None, **labels: str) -> None:
        """Add a sample; what is unknown has none, and what is there already stays."""
        if value is not None:
            shown = repr(float(value)) if isinstance(value, float) else str(value)
            self.samples.setdefault(tuple((name, clean(text)) for name, text in labels.items()), shown)


def page(families: Iterable[Family], content_type: str) -> bytes:
    """Return the page in the form that `content_type` (OPENMETRICS or TEXT) names."""
    strict = content_type == OPENMETRICS
    lines = [line for family in families for line in _lines(family, strict)]
    if strict:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines).encode()


def clean(text: str) -> str:
    """Return a label's value as it is shown: as sent, but for what no reader of the page can take.

    Control characters (blank ones apart) and surrogates become U+FFFD: NUL ends what Prometheus reads, and ESC would
    reach the terminal of whoever fetches the page by hand.
    """
    if text.isprintable():
        return text
    return "".join(ch if ch in _KEPT or unicodedata.category(ch) not in ("Cc", "Cs") else REPLACEMENT for ch in text)


def _lines(family: Family, strict: bool) -> Iterator[str]:
    sample = family.name + _SUFFIX.get(family.kind, "")
    name = family.name if strict else sample
    yield f"# TYPE {name} {family.kind if strict else _BEFORE_OPENMETRICS.get(family.kind, family.kind)}"
    if strict and family.unit:
        yield f"# UNIT {name} {family.unit}"
    yield f"# HELP {name} {family.help}"
    for labels, value in family.samples.items():
        yield f"{sample}{_braces(labels)} {value}"


def _braces(labels: Labels) -> str:
    inside = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""
