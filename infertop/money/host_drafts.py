"""A minute of the machine's own time, divided among the local models that run without a GPU."""

from __future__ import annotations

from collections.abc import Iterator

from infertop.money.allocate import GpuUse, Holder, allocate
from infertop.money.drafts import MS, Draft, basis, price_order
from infertop.money.minutes import Minute
from infertop.money.parts import split
from infertop.money.traffic import Traffic

HOST = "host"


def host_drafts(minute: Minute, traffic: Traffic) -> Iterator[list[Draft]]:
    """Yield the drafts of the host's time: by weighted tokens, else requests, else equal; without models its own."""
    on_gpus = {source for span in minute.spans.values() for source in span.holders}
    carriers = tuple(
        Holder(source, (model,))
        for source in sorted(minute.local & minute.models.keys() - on_gpus)
        for model in traffic.models(source)
    )
    drafts = []
    for (meter, price), ms in sorted(minute.host.items(), key=lambda item: (item[0][0], price_order(item[0][1]))):
        shares = allocate(GpuUse(HOST, ms, None, carriers, meter)).shares
        for share, part in zip(shares, split(ms, [each.busy for each in shares]), strict=True):
            drafts.append(Draft(share.source, share.model, HOST, (), part, MS, price, basis(share.busy_by)))
    yield drafts
