"""The what-if page: what the traffic of a span would cost on other models and hardware, and at other sizes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from infertop.history.used import used
from infertop.money.rates import PriceBook
from infertop.money.whatif.traffic import Used
from infertop.views.whatif_shapes import WhatIfPage
from infertop.views.whatif_subject import subject


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: globs of models and sources, and where to take the traffic (`to`: globs of provider/model).

    Without `to` there are about 20 well-known alternatives, with `every` all that have a price. `gpu` is NVML's name
    or a family ("H100") in place of the GPUs that are held; `tokens_per_second` is what one of them serves at full
    use, in place of what was measured. `scale` are the factors of the traffic.
    """

    model: str = "*"
    source: str = "*"
    to: tuple[str, ...] = ()
    gpu: str = ""
    tokens_per_second: float | None = None
    scale: tuple[float, ...] = (1, 10, 100)
    every: bool = False

    def concerns(self, each: Used) -> bool:
        """Say whether it is about this model of this source."""
        return fnmatchcase(each.model, self.model) and fnmatchcase(each.source, self.source)


def whatif_page(
    connection: sqlite3.Connection,
    prices: PriceBook,
    now: float,
    since: float,
    until: float,
    asked: Asked = Asked(),
    counts: Callable[[str], bool] = lambda _source: True,
) -> WhatIfPage:
    """Return what the traffic of [since, until) (epoch seconds) would cost elsewhere, by the prices of `now`.

    It reads the ledger only: `reader.ask(whatif_page, prices, now, since, until)`, in a thread; it takes about a tenth
    of a second. `counts` says which sources are part of totals. Without traffic there are no subjects and a notice.
    """
    found = [each for each in used(connection, since, until, counts) if asked.concerns(each)]
    subjects = tuple(subject(each) for each in found)
    return WhatIfPage(now, since, until, subjects)
