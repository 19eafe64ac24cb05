"""Amounts of money as APIs write them: numbers or strings, dollars or cents, at one boundary."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from infertop.readings.safe import safe

NANO = 1_000_000_000
CENT = Decimal("0.01")
DOLLAR = Decimal(1)
_MOST_USD = Decimal(10**9)
_LONGEST = 64


def amount(said: object, unit: Decimal, name: str) -> Decimal:
    """Return an amount in whole currency; `unit` is what 1 of what is said is worth (DOLLAR, CENT).

    Raises ValueError with a sentence where it is no amount of money.
    """
    value: Decimal | None = None
    if isinstance(said, str) and len(said) <= _LONGEST:
        try:
            value = Decimal(said.strip())
        except InvalidOperation:
            value = None
    elif isinstance(said, int | Decimal) and not isinstance(said, bool):
        value = Decimal(said)
    elif isinstance(said, float):
        value = Decimal(repr(said))
    if value is None or not value.is_finite() or abs(value) > _MOST_USD:
        raise ValueError(f"{safe(name, 80)} is no amount of money")
    return value * unit


def usd_nano(said: object, unit: Decimal, name: str) -> int:
    """Return an amount of USD in 1e-9 USD, rounded half to even; raise ValueError as `amount` does."""
    return round(amount(said, unit, name) * NANO)
