"""What of a minute's cost by use is prompts' and what answers', and what caches would have saved of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infertop.history.accounts import Account
from infertop.money.detect.scopes import Flow, added
from infertop.money.statement_lines import COST
from infertop.money.weights import TOKEN_WEIGHTS
from infertop.readings.registry import TOKEN_CLASSES

CACHED = "cache_read"

UnitPrice = Callable[[Account], float | None]
"""Returns what one of an account's unit cost last, in USD; None where that is unknown."""


@dataclass(slots=True)
class Paid:
    """What one place paid by use in one minute; all amounts are an hour's.

    Where a source states its cost as one, it is divided among the tokens by weight, as explanations do.
    """

    prompt_usd: float | None = None
    output_usd: float | None = None
    missed_usd: float | None = None
    missed: float | None = None
    stated_usd: float = 0.0
    prompt_weight: float = 0.0
    output_weight: float = 0.0
    unpriced_missed: float = 0.0

    def add(self, account: Account, quantity: float, usd: float | None, unit_price: UnitPrice) -> None:
        """Add a line: so much of a token class, or of what a statement itself says was paid."""
        kind = TOKEN_CLASSES.get(account.resource)
        if kind is None:
            self.stated_usd += (usd or 0.0) if account.resource == COST else 0.0
        elif usd is None:
            weight = 0.0 if not account.is_paid else TOKEN_WEIGHTS[kind.name] * quantity
            self.prompt_weight += weight if kind.prompt else 0.0
            self.output_weight += 0.0 if kind.prompt else weight
            self.unpriced_missed += quantity if weight and kind.prompt and kind.name != CACHED else 0.0
        elif not kind.prompt:
            self.output_usd = added(self.output_usd, usd)
        else:
            self.prompt_usd = added(self.prompt_usd, usd)
            if kind.name != CACHED and (cached := unit_price(account._replace(resource=CACHED))) is not None:
                self.missed_usd = added(self.missed_usd, usd - quantity * cached)
                self.missed = added(self.missed, quantity)

    def put_into(self, flow: Flow) -> None:
        """Add all of it to a place's flow."""
        weight = self.prompt_weight + self.output_weight
        if self.stated_usd > 0 and weight > 0:
            each = self.stated_usd / weight
            self.prompt_usd = added(self.prompt_usd, each * self.prompt_weight)
            self.output_usd = added(self.output_usd, each * self.output_weight)
            if self.unpriced_missed:
                saved = TOKEN_WEIGHTS["input"] - TOKEN_WEIGHTS[CACHED]
                self.missed_usd = added(self.missed_usd, each * saved * self.unpriced_missed)
                self.missed = added(self.missed, self.unpriced_missed)
        for name in ("prompt_usd", "output_usd", "missed_usd", "missed"):
            setattr(flow, name, added(getattr(flow, name), getattr(self, name)))
