"""What goes on at one rate: by the day and the month."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from infertop.money.hourly import HOURS_PER_MONTH


@dataclass(frozen=True, slots=True)
class RunRate:
    """What goes on at one rate: USD an hour, a day (24 h) and a month (730 h)."""

    usd_per_hour: Decimal

    @property
    def usd_per_day(self) -> Decimal:
        """24 hours of it."""
        return self.usd_per_hour * 24

    @property
    def usd_per_month(self) -> Decimal:
        """730 hours of it, a twelfth of a year."""
        return self.usd_per_hour * HOURS_PER_MONTH
