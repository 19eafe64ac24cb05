"""How explanations write amounts, ages and arithmetic: plain digits, so that a line can be typed into a calculator."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

_AGES = ((172_800.0, 86_400.0, "days"), (7_200.0, 3_600.0, "h"), (120.0, 60.0, "min"))
_MOST_DIGITS = 18
# What the ledger counts in: nothing smaller is shown.
_LEAST_USD = 1e-9


def usd(value: float | None, digits: int = 4) -> str:
    """Return an amount as a person reads it; what is unknown is said to be."""
    if value is None:
        return "unknown"
    if 0 < abs(value) < _LEAST_USD:
        return "less than $0.000000001"
    if 0 < abs(value) < 0.01:
        return f"${Decimal(f'{value:.{digits}g}'):f}"
    return f"${value:,.{digits}f}".rstrip("0").rstrip(".")


def amount(value: float, digits: int = 4) -> str:
    """Return the same digits as `usd`, for arithmetic: without sign and commas, and 0 below a nano-dollar."""
    if _LEAST_USD <= abs(value) < 0.01:
        return f"{Decimal(f'{value:.{digits}g}'):f}"
    return number(value, digits)


def number(value: float | Decimal, digits: int = 6) -> str:
    """Return a number with at most so many decimals, without trailing zeros."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def span(seconds: float) -> str:
    """Return a length of time in its largest unit that has two of it: 0.8 s, 42 s, 12 min, 3 h, 5 days."""
    for least, unit, name in _AGES:
        if seconds >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{max(seconds, 0.0):.1f} s"


def read_ago(seconds: float | None) -> str:
    """Return how old a reading is, in words."""
    return "not read yet" if seconds is None else f"read {span(seconds)} ago"


def enough(result: float, formula: Callable[..., float], *inputs: float, digits: int = 4) -> tuple[str, ...]:
    """Return the inputs with the fewest digits from which the formula gives the result as `amount` writes it."""
    for more in range(digits, _MOST_DIGITS):
        texts = tuple(number(each, more) for each in inputs)
        try:
            if amount(formula(*map(float, texts))) == amount(result):
                return texts
        except ZeroDivisionError:
            continue
    return tuple(number(each, _MOST_DIGITS) for each in inputs)
