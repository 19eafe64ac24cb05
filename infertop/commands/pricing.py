"""pricing.toml as it is now: the settings, and the prices that follow from them."""

from __future__ import annotations

import asyncio

from infertop.money.rates import PriceBook
from infertop.money.reload import Watcher


class Pricing:
    """The settings in use. They change when `look` finds that the file did."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.settings = watcher.current.settings
        self.prices = PriceBook(self.settings)

    async def look(self, now: float) -> bool:
        """Look at the file and say whether other settings are in use now; a mistake in it leaves those from before."""
        await asyncio.to_thread(self._watcher.tick, now)
        settings = self._watcher.current.settings
        if settings == self.settings:
            return False
        self.settings, self.prices = settings, PriceBook(settings)
        return True

    @property
    def sigma(self) -> float:
        """How many standard deviations from its mean a figure is marked."""
        return float(self.settings.alert.sigma)

    @property
    def problem(self) -> str:
        """Why the file as it is now is not in use, or nothing."""
        return self._watcher.current.problem

    @property
    def notices(self) -> tuple[str, ...]:
        """What of the file is ignored."""
        return self._watcher.current.notices
