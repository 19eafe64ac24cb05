"""What OpenRouter says besides usage: credits, keys with their limits, and what each completed day was charged.

Wire format: GET /key, /keys, /credits and /activity of OpenRouterTeam/typescript-sdk. Amounts are dollars. /activity
tells completed UTC days, 30 at most; `byok_usage_inference` in it is billed by the providers of one's own keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from collectors._money import DOLLAR, amount, usd_nano
from collectors._openrouter_usage import PROVIDER
from collectors._provider_buckets import dimension
from collectors._provider_pages import Row, document, entries
from collectors._provider_plan import DAY
from collectors._provider_time import utc_seconds
from infertop.engine.collector import Unavailable
from infertop.readings.account import Account, Allowance, Balance, Bill, BillPage

if TYPE_CHECKING:
    from collectors._provider_root import Rooted

SETTLES_SECONDS = DAY
_MOST_PAGES = 50
# How a limit begins anew, and the field that has what was used since.
_PERIODS = {"daily": ("day", "_daily"), "weekly": ("week", "_weekly"), "monthly": ("month", "_monthly")}


class OpenRouterAccount:
    """Reads the account of a key, each part in one question or a few."""

    def __init__(self, source: str, api: Rooted) -> None:
        self._source = source
        self._api = api

    async def keys(self, _ts: float) -> tuple[Account, str]:
        """Return the limits of all keys, by the names that usage is told by; of an ordinary key, its own."""
        about = await self._data("/key")
        try:
            if _is_ordinary(about):
                own = tuple(_allowances([about], whose=False))
                return Account(allowances=own), "" if own else _used(about)
            return Account(allowances=tuple(_allowances(await self._listed(), whose=True))), ""
        except ValueError as error:
            return Account(), f"OpenRouter's keys: {error}"

    async def credits(self, _ts: float) -> tuple[Account, str]:
        """Return what is left of the credits; below 0 where more was used."""
        said = await self._data("/credits")
        try:
            bought, used = (amount(said.get(name), DOLLAR, name) for name in ("total_credits", "total_usage"))
        except ValueError as error:
            return Account(), f"OpenRouter's /credits: {error}"
        return Account(balances=(Balance(PROVIDER, "USD", bought - used, "credits"),)), ""

    async def activity(self, ts: float) -> tuple[Account, str]:
        """Return what each completed day was charged, by model."""
        where = "OpenRouter's /activity"
        rows = entries(document((await self._api.get("/activity")).body, where), "data", where)
        days: dict[int, list[Bill]] = {}
        wrong: set[int] = set()
        own, odd = Decimal(0), ""
        for row in rows:
            start = utc_seconds(row.get("date"))
            if start is None or start % DAY or start + DAY > ts:
                continue
            try:
                days.setdefault(start, []).append(_bill(start, row))
                own += amount(row.get("byok_usage_inference") or 0, DOLLAR, "byok_usage_inference")
            except ValueError as error:
                wrong.add(start)
                odd = odd or f"{where}: {error}"
        pages = [
            BillPage(self._source, start, start + DAY, tuple(bills), SETTLES_SECONDS)
            for start, bills in sorted(days.items())
            if start not in wrong
        ]
        told = (
            f"{own:.2f} USD of the last 30 days were spent with your own keys: their providers bill it" if own else ""
        )
        return Account(bills=tuple(pages)), odd or told

    async def _listed(self) -> Iterable[Row]:
        where = "OpenRouter's /keys"
        rows: dict[str, Row] = {}
        for _ in range(_MOST_PAGES):
            page = entries(document((await self._api.get("/keys", {"offset": len(rows)})).body, where), "data", where)
            new = {mark: each for each in page if (mark := dimension(each, "hash")) and mark not in rows}
            if not new:
                break
            rows |= new
        return rows.values()

    async def _data(self, path: str) -> Mapping[str, Any]:
        found = document((await self._api.get(path)).body, f"OpenRouter's {path}").get("data")
        if not isinstance(found, dict):
            raise Unavailable(f"the answer of OpenRouter's {path} has no data: its format is not known")
        return found


def _bill(start: int, row: Row) -> Bill:
    model = dimension(row, "model_permaslug") or dimension(row, "model")
    cost = usd_nano(row.get("usage"), DOLLAR, "usage")
    return Bill(start, start + DAY, PROVIDER, model, None, {}, cost, dimension(row, "provider_name") or "")


def _allowances(rows: Iterable[Row], *, whose: bool) -> Iterator[Allowance]:
    """Yield what keys are allowed; one without a limit may use everything there is. `whose`: it is told by name."""
    for row in rows:
        if row.get("limit") is None:
            continue
        name = dimension(row, "name") or dimension(row, "hash") or ""
        period, ending = _PERIODS.get(str(row.get("limit_reset")), ("", ""))
        limit = amount(row["limit"], DOLLAR, "limit")
        left, used = row.get("limit_remaining"), row.get(f"usage{ending}")
        yield Allowance(
            name=f"OpenRouter key {name}" if whose else "OpenRouter: this key",
            provider=PROVIDER,
            limit_usd=limit,
            period=period,
            conditions=(("provider", PROVIDER), *([("key", name)] if whose else [])),
            spent_usd=limit - amount(left, DOLLAR, "limit_remaining") if left is not None else _or_none(used),
            enforced=True,
        )


def _or_none(said: object) -> Decimal | None:
    return None if said is None else amount(said, DOLLAR, "usage")


def _is_ordinary(about: Row) -> bool:
    """Say whether a key is none that manages; where it does not say, it may be one."""
    said = [about[name] for name in ("is_management_key", "is_provisioning_key") if name in about]
    return bool(said) and not any(said)


def _used(about: Row) -> str:
    """Return what a key says of itself: whole dollars without a model, which gateways and logs may tell by model."""
    try:
        today, month = (amount(about.get(f"usage_{name}"), DOLLAR, name) for name in ("daily", "monthly"))
    except ValueError:
        return ""
    return f"this key used {today:.2f} USD today and {month:.2f} USD this month (UTC), in no total: no model is told"
