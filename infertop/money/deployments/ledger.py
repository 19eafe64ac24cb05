"""Reserved throughput in the ledger: its hours are spent by the time, like the machine's, whether it is used or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from infertop.money.deployments.booked import DEPLOYMENT, model_of, price, spending
from infertop.money.drafts import MS, costed
from infertop.money.lines import Basis, Line
from infertop.money.minutes import MINUTE, Deployed, Minute, Minutes, pieces
from infertop.money.settings import Settings


def book(minutes: Minutes, settings: Settings, start_ms: int, end_ms: int) -> None:
    """Add the time from `start_ms` to `end_ms`, in which this machine was metered, to every deployment that counts.

    Of meters that overlap each moment is added once.
    """
    begin = max(start_ms, minutes.deployed_ms)
    minutes.deployed_ms = max(minutes.deployed_ms, end_ms)
    if not settings.deployments:
        return
    # Days begin at minute edges, so that nothing begins or ends within a piece.
    for start, ms in pieces(begin, end_ms):
        for each in spending(settings, start / 1000):
            key = Deployed(each.name, each.provider, model_of(each), price(each))
            deployed = minutes.at(start).deployed
            deployed[key] = deployed.get(key, 0) + ms


def deployment_lines(minute: Minute) -> Iterator[list[Line]]:
    """Yield the lines of each deployment's minute, with its cost rounded once."""
    by_name: dict[str, list[Line]] = defaultdict(list)
    for key, ms in minute.deployed.items():
        by_name[key.name].append(
            Line(
                start=minute.start,
                end=minute.start + MINUTE,
                source=key.name,
                provider=key.provider,
                model=key.model,
                resource=DEPLOYMENT,
                dimensions=(),
                quantity=ms,
                unit=MS,
                usd_nano=None,
                price=key.price,
                basis=Basis.COMPUTED,
            )
        )
    for lines in by_name.values():
        yield costed(lines)
