"""pricing.toml as it is now: the settings, and the prices that follow from them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from infertop.commands.book import book_of
from infertop.commands.setup import kinds
from infertop.money.locate import Candidate
from infertop.money.reload import Watcher
from infertop.money.schema import Mistakes


class Pricing:
    """The settings in use. They change when `look` finds that the file did."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.settings = watcher.current.settings
        self.prices = book_of(self.settings)
        self._refused: Path | None = None
        self._elsewhere = ""

    @property
    def path(self) -> Path | None:
        """The file in use, None where there is none."""
        return self._watcher.current.path

    def adopt(self, path: Path | None, now: float) -> bool:
        """Use the file of the recorder that is looked at, and say whether that is another one than before.

        Where it cannot be used, the settings stay, and a notice says so.
        """
        if path == self.path or path == self._refused:
            return False
        places = () if path is None else (Candidate(path, asked_for=True),)
        try:
            self._watcher = Watcher(places, kinds(), now)
        except Mistakes as mistakes:
            self._refused = path
            self._elsewhere = f"{mistakes.sentences[0]}: that is the recorder's; these prices are your own"
            return False
        self._elsewhere = ""
        self._take()
        return True

    async def look(self, now: float) -> bool:
        """Look at the file and say whether other settings are in use now; a mistake in it leaves those from before."""
        await asyncio.to_thread(self._watcher.tick, now)
        if self._watcher.current.settings == self.settings:
            return False
        self._take()
        return True

    def _take(self) -> None:
        self.settings = self._watcher.current.settings
        self.prices = book_of(self.settings)

    @property
    def loaded_at(self) -> float | None:
        """When what the file says was read (epoch seconds), None where there is none."""
        current = self._watcher.current
        return None if current.path is None else current.loaded_at

    @property
    def sigma(self) -> float:
        """How many standard deviations from its mean a figure is marked."""
        return float(self.settings.alert.sigma)

    @property
    def problem(self) -> str:
        """Why the file as it is now is not in use, or nothing."""
        return self._watcher.current.problem or self._elsewhere

    @property
    def notices(self) -> tuple[str, ...]:
        """What of the file is ignored."""
        return self._watcher.current.notices
