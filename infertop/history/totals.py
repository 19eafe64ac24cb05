"""Sums of accounts become totals by source and model, and entries become minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from infertop.history.accounts import Account, Entry
from infertop.history.summary import Key, Minute, Totals, add_usd
from infertop.history.sums import Sum, Sums


def totals_by_key(sums: Sums, accounts: Mapping[int, Account]) -> dict[Key, Totals]:
    """Return what each model on each source has."""
    quantities: dict[Key, dict[str, int]] = {}
    usd: dict[Key, int | None] = {}
    unpriced: dict[Key, int] = {}
    stated: dict[Key, dict[str, int]] = {}
    billed: dict[Key, int | None] = {}
    for number, each in sums.items():
        account = accounts[number]
        key = (account.source, account.model)
        of_key = quantities.setdefault(key, {})
        of_key[account.resource] = of_key.get(account.resource, 0) + each.quantity
        usd[key] = add_usd(usd.get(key), each.usd_nano)
        if not account.is_computed:
            billed[key] = add_usd(billed.get(key), each.usd_nano)
        if account.lacks_price:
            unpriced[key] = unpriced.get(key, 0) + each.quantity
        if each.usd_nano is not None and account.is_stated:
            of_cost = stated.setdefault(key, {})
            of_cost[account.resource] = of_cost.get(account.resource, 0) + each.usd_nano
    return {
        key: Totals(of_key, usd[key], unpriced.get(key, 0), stated.get(key, {}), billed.get(key))
        for key, of_key in quantities.items()
    }


def merged(totals: Mapping[Key, Totals], more: Mapping[Key, Totals]) -> dict[Key, Totals]:
    """Return both together."""
    both = dict(totals)
    for key, each in more.items():
        both[key] = both[key].plus(each) if key in both else each
    return both


def counted_usd(sums: Sums, accounts: Mapping[int, Account], counts: Callable[[Account], bool]) -> int | None:
    """Return the cost of the accounts that count, or None where none of them has a price."""
    total: int | None = None
    for number, each in sums.items():
        if each.usd_nano is not None and counts(accounts[number]):
            total = (total or 0) + each.usd_nano
    return total


def counting(sums: Sums, accounts: Mapping[int, Account], counts: Callable[[Account], bool]) -> dict[Key, bool]:
    """Return of each model on a source whether anything of it counts."""
    found: dict[Key, bool] = {}
    for number in sums:
        account = accounts[number]
        key = (account.source, account.model)
        found[key] = found.get(key, False) or counts(account)
    return found


def apart(*counting: Mapping[Key, bool]) -> frozenset[Key]:
    """Return the models on sources of which nothing counts in any of these."""
    return frozenset(key for each in counting for key in each if not any(other.get(key) for other in counting))


def _keys(numbers: Iterable[int], accounts: Mapping[int, Account]) -> frozenset[Key]:
    return frozenset((accounts[number].source, accounts[number].model) for number in numbers)


def partly(sums: Sums, accounts: Mapping[int, Account], counts: Callable[[Account], bool]) -> Mapping[Key, int | None]:
    """Return what counts of the cost of models on sources that one source tells of for several providers."""
    kinds: dict[Key, set[bool]] = {}
    usd: dict[Key, int | None] = {}
    for number, each in sums.items():
        account = accounts[number]
        key, has = (account.source, account.model), counts(account)
        kinds.setdefault(key, set()).add(has)
        usd[key] = add_usd(usd.get(key), each.usd_nano if has else None)
    return {key: usd[key] for key, said in kinds.items() if len(said) > 1}


def joined(minute: Minute, more: Minute) -> Minute:
    """Return two parts of the same minute as one: what statements told of it early, and what was metered in it."""
    totals = merged(minute.totals, more.totals)
    parts = [each for each in (minute, more) if each.totals]
    mixed = {*minute.partly, *more.partly}
    mixed |= {key for key in totals if len({key in each.apart for each in parts if key in each.totals}) > 1}
    return Minute(
        minute.start,
        max(minute.covered_ms, more.covered_ms),
        totals,
        add_usd(minute.usd_nano, more.usd_nano),
        frozenset(key for key in totals if all(key in each.apart for each in parts if key in each.totals)),
        {key: add_usd(minute.counted(key), more.counted(key)) for key in mixed},
        minute.spread | more.spread,
    )


def minutes_of(
    entries: Iterable[Entry],
    accounts: Mapping[int, Account],
    covered_ms: Mapping[int, int],
    counts: Callable[[Account], bool],
    spread: Mapping[int, Sums] | None = None,
) -> dict[int, Minute]:
    """Return the minutes of entries that are a minute wide, gaps left out, with what is `spread` over them."""
    by_start: dict[int, Sums] = {start: dict(sums) for start, sums in (spread or {}).items()}
    for start, until, number, quantity, usd in entries:
        if until - start == 60 and not accounts[number].is_gap:
            sums = by_start.setdefault(start, {})
            sums[number] = sums.get(number, Sum(0, None)).plus(quantity, usd)
    return {
        start: Minute(
            start,
            covered_ms.get(start, 0),
            totals_by_key(sums, accounts),
            counted_usd(sums, accounts, counts),
            apart(counting(sums, accounts, counts)),
            partly(sums, accounts, counts),
            _keys((spread or {}).get(start, ()), accounts),
        )
        for start, sums in by_start.items()
    }
