"""What providers last said of accounts besides use and bills: kept while a session runs, for views and for viewers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from infertop.readings.account import Account, Allowance, Balance, ListPrice, RateLimit

KIND = "account:"
"""What the inventory calls an account: this and its source."""
_HOUR = 3600


def standing(before: Account | None, said: Account, ts: float | None = None) -> Account:
    """Return what stands once a poll at `ts` has said this; bills and names are kept elsewhere."""
    old = before or Account()
    spent = any(each.spent_usd is not None for each in said.allowances or ())
    return Account(
        balances=old.balances if said.balances is None else said.balances,
        allowances=old.allowances if said.allowances is None else said.allowances,
        rate_limits=old.rate_limits if said.rate_limits is None else said.rate_limits,
        list_prices=old.list_prices if said.list_prices is None else said.list_prices,
        complete_until=old.complete_until if said.complete_until is None else said.complete_until,
        # By the hour, so that a poll that says the same again changes nothing.
        spent_hour=ts // _HOUR * _HOUR if spent and ts is not None else old.spent_hour,
    )


def content(account: Account) -> dict[str, Any]:
    """Return an account fit for JSON; money is text, so that nothing is lost."""
    return {
        "balances": _rows(account.balances, lambda each: [each.provider, each.currency, str(each.amount), each.what]),
        "allowances": _rows(account.allowances, _allowance),
        "rate_limits": _rows(account.rate_limits, _rate_limit),
        "list_prices": _rows(account.list_prices, _list_price),
        "complete_until": account.complete_until,
        "spent_hour": account.spent_hour,
    }


def accounts_of(inventory: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, Account]:
    """Return the accounts of an inventory by their sources; one that this version cannot read is left out."""
    found = {}
    for kind, rows in inventory.items():
        if kind.startswith(KIND):
            for row in rows:
                try:
                    found[kind.removeprefix(KIND)] = _account(row)
                except (TypeError, ValueError, KeyError, InvalidOperation):
                    continue
    return found


def _rows(said: Iterable[Any] | None, row: Any) -> list[Any] | None:
    return None if said is None else [row(each) for each in said]


def _allowance(each: Allowance) -> list[Any]:
    spent = None if each.spent_usd is None else str(each.spent_usd)
    shares = [str(share) for share in each.alert_at]
    return [
        each.name,
        each.provider,
        str(each.limit_usd),
        each.period,
        [*map(list, each.conditions)],
        spent,
        shares,
        each.enforced,
    ]


def _rate_limit(each: RateLimit) -> list[Any]:
    return [each.provider, each.model, each.unit, each.limit, each.seconds, [*map(list, each.dimensions)]]


def _list_price(each: ListPrice) -> list[Any]:
    return [each.provider, each.model, [[name, str(usd)] for name, usd in each.prices], each.varies]


def _account(row: Mapping[str, Any]) -> Account:
    complete, spent_hour = row["complete_until"], row.get("spent_hour")
    return Account(
        balances=_read(row["balances"], lambda p, c, a, w: Balance(str(p), str(c), Decimal(a), str(w))),
        allowances=_read(row["allowances"], _read_allowance),
        rate_limits=_read(
            row["rate_limits"],
            lambda p, m, u, n, s, d: RateLimit(
                str(p), None if m is None else str(m), str(u), int(n), int(s), _pairs(d)
            ),
        ),
        list_prices=_read(
            row.get("list_prices"),
            lambda p, m, some, v: ListPrice(
                str(p), str(m), tuple((str(name), Decimal(usd)) for name, usd in some), bool(v)
            ),
        ),
        complete_until=float(complete) if complete is not None and math.isfinite(complete) else None,
        spent_hour=float(spent_hour) if spent_hour is not None and math.isfinite(spent_hour) else None,
    )


def _read(rows: Any, make: Any) -> Any:
    return None if rows is None else tuple(make(*row) for row in rows)


def _read_allowance(
    name: Any, provider: Any, limit: Any, period: Any, conditions: Any, spent: Any, shares: Any, enforced: Any
) -> Allowance:
    return Allowance(
        str(name),
        str(provider),
        Decimal(limit),
        str(period),
        _pairs(conditions),
        None if spent is None else Decimal(spent),
        tuple(Decimal(share) for share in shares),
        enforced,
    )


def _pairs(rows: Iterable[Iterable[Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in rows)


class AccountNotes:
    """Keeps what stands of each source's account."""

    def __init__(self) -> None:
        self.by_source: Mapping[str, Account] = {}

    def take(self, source: str, said: Account, ts: float) -> list[dict[str, Any]] | None:
        """Take what a poll at `ts` said; return the rows of the inventory where that changed something."""
        before = self.by_source.get(source)
        after = standing(before, said, ts)
        if after == before:
            return None
        self.by_source = {**self.by_source, source: after}
        return [content(after)]
