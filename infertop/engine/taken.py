"""What discovery leaves alone, because it is configured already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from infertop.engine.asking import Probe
from infertop.engine.candidate import Candidate
from infertop.engine.collector import Unavailable
from infertop.engine.processes import Scan

_SECONDS = 0.5


class Taken:
    """What is configured on this machine already. `left_out` has a sentence for what is not asked because of it.

    A configured port that answers although nobody is seen to listen there is forwarded by the system itself, into some
    container: which one is not to be seen, so none is asked at an address of its own, or it would be read twice.
    """

    def __init__(self, scan: Scan, urls: Iterable[str]) -> None:
        parts = [urlsplit(url) for url in urls if _is_url(url)]
        self._ports = {port for url in urls if (port := scan.port_here(url)) is not None}
        self._places = {f"{each.hostname}:{each.port or 80}" for each in parts}
        self._hidden = {port for port in self._ports if scan.listeners is not None and not scan.at(port)}
        self._skipped: list[str] = []

    async def ask(self, probe: Probe) -> None:
        """Find out which of the ports without a listener are forwarded: at the others nothing answers."""
        for port in sorted(self._hidden):
            try:
                async with asyncio.timeout(_SECONDS):
                    await probe(f"http://127.0.0.1:{port}/")
            except (Unavailable, OSError, TimeoutError):
                self._hidden.discard(port)

    def has(self, each: Candidate) -> bool:
        """Say whether a port is read already, or may be."""
        if not each.inside:
            return each.port in self._ports
        if self._hidden and each.key.authority not in self._places:
            self._skipped.append(each.key.authority)
        return bool(self._hidden) or each.key.authority in self._places

    @property
    def left_out(self) -> Iterable[str]:
        """Say what was not asked."""
        if self._skipped:
            ports = ", ".join(map(str, sorted(self._hidden)))
            yield (
                f"not asked at {', '.join(self._skipped[:5])}, as the configured port {ports} may lead there: "
                "configure it by that address to have the others found"
            )


def _is_url(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname) and (urlsplit(url).port or 1) > 0
    except ValueError:
        return False
