"""An estimate as text for a person and as JSON for a script: the same figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infertop.commands.counters import VOCABULARY, Counting
from infertop.commands.priced_line import plain
from infertop.commands.wrapping import wrapped
from infertop.money.quote import Cost, Quote
from infertop.money.toml_text import heading
from infertop.readings.safe import safe

_NAME_WIDTH = 24
_WIDTHS = (12, 9, 9, 9, 10)
_SIDES = ("input", "output")
_TOTAL = "total"
_LINE = 80
_FINEST = Decimal("1e-6")


@dataclass(frozen=True, slots=True)
class Counted:
    """One file, which is one request: its tokens, and what it costs at once and in a batch."""

    file: str
    tokens: int
    cost: Cost
    batch: Cost


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the files cost with one model; `quote` is None where it has no price.

    `sellers` are the providers that list it, where none was named and the name does not tell.
    """

    model: str
    quote: Quote | None
    counting: Counting
    files: tuple[Counted, ...]
    sellers: tuple[str, ...] = ()

    @property
    def usd(self) -> Decimal | None:
        """What all files cost together."""
        return _sum(each.cost.usd for each in self.files)

    @property
    def batch_usd(self) -> Decimal | None:
        """What they cost in a batch."""
        return _sum(each.batch.usd for each in self.files)

    def usd_of(self, name: str) -> Decimal | None:
        """What all files' tokens of a class cost; nothing for a class without a token."""
        return _sum(each.cost.by_class.get(name, None if self.quote is None else Decimal(0)) for each in self.files)


def as_json(estimates: Sequence[Estimate], output_tokens: int) -> str:
    """Return the estimate as JSON; USD are decimal strings, null where there is no price."""
    shown = {"schema": 1, "output_tokens": output_tokens, "models": [_json(each, output_tokens) for each in estimates]}
    return json.dumps(shown, allow_nan=False) + "\n"


def _json(estimate: Estimate, output: int) -> dict[str, Any]:
    counting, quote = estimate.counting, estimate.quote
    files = [
        {
            "file": each.file,
            "tokens": {"input": each.tokens, "output": output},
            "usd": {
                "input": _text(each.cost.by_class.get("input", None if quote is None else Decimal(0))),
                "output": _text(each.cost.by_class.get("output", None if quote is None else Decimal(0))),
                "total": _text(each.cost.usd),
                "batch": _text(each.batch.usd),
            },
            "flags": list(each.cost.flags),
        }
        for each in estimate.files
    ]
    return {
        "model": estimate.model,
        "counted_by": counting.method,
        "encoding": counting.cut.encoding,
        "margin": counting.margin,
        "within": counting.within,
        "price": None if quote is None else _price(quote),
        "files": files,
        "total": {
            "tokens": {"input": sum(each.tokens for each in estimate.files), "output": output * len(estimate.files)},
            "usd": {
                "input": _text(estimate.usd_of("input")),
                "output": _text(estimate.usd_of("output")),
                "total": _text(estimate.usd),
                "batch": _text(estimate.batch_usd),
            },
        },
    }


def _price(quote: Quote) -> dict[str, Any]:
    return {
        "matched": quote.matched,
        "provider": quote.provider,
        "source": quote.source,
        "from": quote.since or None,
        "usd_per_million_tokens": {
            name: plain(quote.prices[name].usd) for name in ("input", "output") if name in quote.prices
        },
    }


def as_text(estimates: Sequence[Estimate], output_tokens: int) -> str:
    """Return the estimate as a table for each model, and one of their totals where there are several."""
    lines = [f"{output_tokens:,} output tokens for each file; USD"]
    for each in estimates:
        lines += ["", _heading(each), *_table(each, output_tokens)]
        flags = sorted({flag for counted in each.files for flag in counted.cost.flags})
        lines += [f"  {safe(', '.join(flags), 200)}"] if flags else []
        lines += wrapped(each.counting.sentence(), _LINE, "  ", "  ")
    if len(estimates) > 1:
        lines += ["", *_compared(estimates)]
    return "\n".join(lines) + "\n"


def _heading(estimate: Estimate) -> str:
    quote, model = estimate.quote, safe(estimate.model, 60)
    if quote is None and estimate.sellers:
        return f"{model}: several list it, name one of them:\n  --provider {safe(' | '.join(estimate.sellers), 66)}"
    if quote is None:
        return f"{model}: no price is known;\n  set one under {heading('model', estimate.model)} in pricing.toml"
    prices = ", ".join(
        f"{name} {plain(quote.prices[name].usd)}" for name in ("input", "output") if name in quote.prices
    )
    since = f", since {quote.since}" if quote.since else ""
    return f"{model} ({safe(quote.provider, 30)}): {prices} $/1M tokens\n  {safe(quote.source, 60)}{since}"


def _table(estimate: Estimate, output: int) -> Iterator[str]:
    mark = "" if estimate.counting.method == VOCABULARY else "~"
    yield _row("FILE", "TOKENS", "INPUT", "OUTPUT", "TOTAL", "IN A BATCH")
    for each in estimate.files:
        parts = (each.cost.by_class.get(name, None if estimate.quote is None else Decimal(0)) for name in _SIDES)
        figures = (_short(usd) for usd in (*parts, each.cost.usd, each.batch.usd))
        yield _row(safe("stdin" if each.file == "-" else each.file, 200), f"{mark}{each.tokens:,}", *figures)
    if len(estimate.files) > 1:
        tokens = sum(each.tokens for each in estimate.files)
        parts = (estimate.usd_of(name) for name in _SIDES)
        figures = (_short(usd) for usd in (*parts, estimate.usd, estimate.batch_usd))
        yield _row(_TOTAL, f"{mark}{tokens:,}", *figures)


def _compared(estimates: Sequence[Estimate]) -> Iterator[str]:
    yield "in total, cheapest first"
    known = [each for each in estimates if each.usd is not None]
    for each in sorted(known, key=lambda each: each.usd or 0):
        yield f"  {safe(each.model, 38):38} {_short(each.usd):>12}   in a batch {_short(each.batch_usd):>12}"


def _row(name: str, *cells: str) -> str:
    shown = name if len(name) <= _NAME_WIDTH else f"…{name[1 - _NAME_WIDTH :]}"
    return f"  {shown:{_NAME_WIDTH}} " + " ".join(
        f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)
    )


def _sum(usd: Iterable[Decimal | None]) -> Decimal | None:
    known = [each for each in usd if each is not None]
    return sum(known, Decimal(0)) if known else None


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else plain(usd)


def _short(usd: Decimal | None) -> str:
    """Return an amount in nine characters or so: six places for a request, two for a fortune."""
    if usd is None:
        return "-"
    if usd >= 1000:
        return f"{usd:,.2f}"
    if usd and usd < _FINEST:
        return f"{usd:.1e}"
    return f"{usd:.6f}" if usd < 1 else f"{usd:.4f}"
