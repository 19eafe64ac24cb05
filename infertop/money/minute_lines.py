"""Lines of the ledger from what was metered in a minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infertop.money.deployments.ledger import deployment_lines
from infertop.money.drafts import price_order, priced
from infertop.money.gpu_drafts import gpu_drafts
from infertop.money.host_drafts import host_drafts
from infertop.money.lines import Basis, Line
from infertop.money.minutes import MINUTE, Metered, Minute
from infertop.money.traffic import Traffic, model_order
from infertop.money.weights import TOKEN_WEIGHTS
from infertop.readings.model import LOCAL


def lines_of(minute: Minute, weights: Mapping[str, float] = TOKEN_WEIGHTS) -> list[Line]:
    """Return the lines of a minute, in an order that does not depend on who was polled first.

    The cost of each GPU's time (with all its MIG instances) is rounded once and its parts sum to it; so is that of
    its energy, and the host's. Requests and tokens of one's own engines have no price.
    """
    traffic = Traffic(minute, weights)
    lines = list(_counted(minute))
    for drafts in (*gpu_drafts(minute, traffic), *host_drafts(minute, traffic)):
        lines += priced(minute.start, drafts)
    for deployed in deployment_lines(minute):
        lines += deployed
    return sorted(lines, key=_order)


def _counted(minute: Minute) -> Iterator[Line]:
    for metered, count in minute.quantities.items():
        flags = "restart" if metered.source in minute.restarted else ""
        yield _line(minute.start, minute.start + MINUTE, metered, count, flags)
    for wide, count in minute.wide.items():
        yield _line(wide.start, wide.end, Metered(wide.source, wide.model, wide.resource), count, wide.flags)


def _line(start: int, end: int, metered: Metered, count: int, flags: str) -> Line:
    source, model, resource = metered
    unit = "requests" if resource.startswith("requests") else "tokens"
    return Line(start, end, source, LOCAL, model, resource, (), count, unit, None, None, Basis.MEASURED, flags)


def _order(line: Line) -> tuple[object, ...]:
    who = (line.source, model_order(line.model), line.resource, line.dimensions)
    return (line.start, line.end, who, price_order(line.price))
