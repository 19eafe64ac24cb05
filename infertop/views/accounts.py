"""The page of providers: each account's spend, data age, settlement and drift, and the spend by who used what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from infertop.engine.collector import Health, State
from infertop.history.summary import add_usd
from infertop.money.dimensions import Names
from infertop.money.lines import NANO
from infertop.readings.account import Account, Allowance, ListPrice, RateLimit
from infertop.readings.safe import safe
from infertop.views.account_books import AccountBooks, Used
from infertop.views.account_shapes import NOBODY, AccountRow, AccountsPage, DayRow, PartRow, Within
from infertop.views.account_told import account_told, charge_words, part_told
from infertop.views.costs import total
from infertop.views.drift_words import causes
from infertop.views.facts import Facts
from infertop.views.overview import counted_note
from infertop.views.wording import number, span, usd

Member = tuple[Mapping[str, str | None], Used]
_MOST_PARTS = 500
_MOST_NAMED = 4


def accounts_page(facts: Facts, books: AccountBooks, by: str, within: Within) -> AccountsPage:
    """Return the page as of now, its parts by one dimension, of all sources or of what it is limited to."""
    mine: list[Member] = [(dict(group), used) for (group, _), used in books.used.items()]
    chosen = [
        (group, used) for group, used in mine if all((group.get(name) or NOBODY) == said for name, said in within)
    ]
    healths = {health.source: health for health in facts.healths}
    return AccountsPage(
        at=facts.now,
        since=books.month,
        by=by,
        within=within,
        accounts=tuple(
            _account(facts, books, healths[source], [each for each in mine if each[0].get("source") == source])
            for source in sorted(facts.api.windows)
            if source in healths
        ),
        parts=_parts(facts, books, chosen, by),
        unassigned=tuple(facts.past.unassigned.items()),
    )


def _account(facts: Facts, books: AccountBooks, health: Health, mine: list[Member]) -> AccountRow:
    source, window = health.source, facts.api.windows[health.source]
    days = books.days.get(source, ())
    settled = [day for day in days if day.settled]
    month = _sum(used.month_nano for _, used in mine)
    charged = charge_words(_sum(used.charged_nano for _, used in mine), _sum(used.computed_nano for _, used in mine))
    until, settled_nano = books.settled.get(source, (None, None))
    computed = sum(day.computed_usd for day in settled)
    drift = sum(day.drift_usd for day in settled)
    rates = [use.usd_per_hour for use in facts.api.uses if use.source == source]
    return AccountRow(
        source=source,
        kind=health.kind,
        state=health.state.value,
        counts=source not in facts.choices.sources_apart,
        usd_per_hour=total(rates),
        today_usd=_usd(_sum(used.today_nano for _, used in mine)),
        month_usd=_usd(month),
        complete_until=window.told,
        age_seconds=facts.told_ago(source),
        settled_usd=_usd(settled_nano),
        unsettled_usd=_usd(month if settled_nano is None or month is None else month - settled_nano) if days else None,
        drift_usd=drift if settled else None,
        drift_ratio=drift / computed if settled and computed else None,
        days=days,
        lines=tuple(_lines(facts, books, health, days, until, sum(used.unpriced for _, used in mine), charged)),
        told=tuple(account_told(facts, books, source, until, charged)),
        charged=_charged([used for _, used in mine]),
    )


def _charged(members: Sequence[Used]) -> frozenset[str]:
    """Return the figures of which nothing was worked out here, where charges are told at all."""
    worked = {
        "usd_per_hour": any(used.now_computed for used in members),
        "today_usd": any(used.today_computed for used in members),
        "unsettled_usd": any(used.computed_nano is not None for used in members),
    }
    told = any(used.charged_nano is not None for used in members)
    return frozenset(name for name, computed in worked.items() if told and not computed)


def _lines(
    facts: Facts,
    books: AccountBooks,
    health: Health,
    days: tuple[DayRow, ...],
    settled_until: float | None,
    unpriced: int,
    charged: str,
) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of an account in full, as (label, sentence)."""
    source, window = health.source, facts.api.windows[health.source]
    account = facts.accounts.get(source, Account())
    asked = facts.age_of(source)
    yield "asked", "not yet" if asked is None else f"{span(asked)} ago, every {span(health.interval_seconds)}"
    if window.until is None:
        yield "told whole", f"unknown: {window.why}"
    if note := counted_note(facts.choices, source):
        yield "counts", note
    if health.detail:
        # A poll that went well and could read every field has only remarked on something.
        well = health.state is State.UP and not health.rejected
        yield "note" if well else "trouble", safe(health.detail, 300)
    for sentence in causes(days, health.kind, books.leaves_out.get(source, ()), unpriced):
        yield "drift", sentence
    if not days and settled_until is None and any(each.source == source for each in facts.api.uses):
        yield "bills", charged or "none told yet: what is shown is computed from its usage"
    yield from account_lines(account, books.names)


def account_lines(account: Account, names: Names) -> Iterator[tuple[str, str]]:
    """Yield what a provider itself says of balances and limits; amounts stay in its own currency."""
    for each in account.balances or ():
        what = f" {safe(each.what, 40)}" if each.what else ""
        yield "balance", f"{number(each.amount, 2)} {safe(each.currency, 8)}{what}, as {safe(each.provider, 40)} says"
    limits = account.allowances or ()
    for limit in limits[:_MOST_NAMED]:
        every = f" a {safe(limit.period, 10)}" if limit.period else ""
        spent = "" if limit.spent_usd is None else f", {usd(float(limit.spent_usd), 2)} spent by its own count"
        kept = "" if limit.enforced is None else ", enforced" if limit.enforced else ", not enforced"
        yield "limit", f"{safe(allowance_name(limit, names), 60)}: {usd(float(limit.limit_usd), 2)}{every}{spent}{kept}"
    if len(limits) > _MOST_NAMED:
        yield "limit", f"and {len(limits) - _MOST_NAMED} more, in the list of budgets"
    rates = account.rate_limits or ()
    if rates:
        said = ", ".join(_rate(each) for each in rates[:_MOST_NAMED])
        yield "rate limits", f"{said}{f' and {len(rates) - _MOST_NAMED} more' if len(rates) > _MOST_NAMED else ''}"
    for listed in (account.list_prices or ())[:_MOST_NAMED]:
        yield "list price", _list_price(listed)


def _list_price(each: ListPrice) -> str:
    said = ", ".join(f"{safe(name, 40)} {usd(float(price))}" for name, price in each.prices)
    varies = "; otherwise for long prompts or at some hours" if each.varies else ""
    return f"{safe(each.model, 60)}: {said}{varies}; per 1M tokens, or each; {safe(each.provider, 40)} says so"


def allowance_name(limit: Allowance, names: Names) -> str:
    """Return what a provider calls its limit, with names in place of the ids in it."""
    said = limit.name
    for kind, value in limit.conditions:
        said = said.replace(value, names.get((kind, value), value))
    return said


def _rate(limit: RateLimit) -> str:
    every = {60: "min", 3600: "h", 86_400: "day"}.get(limit.seconds, span(limit.seconds))
    return f"{safe(limit.model or 'all models', 40)} {limit.limit} {safe(limit.unit, 30)}/{every}"


def _parts(facts: Facts, books: AccountBooks, chosen: Iterable[Member], by: str) -> tuple[PartRow, ...]:
    groups: dict[tuple[str, bool], list[Member]] = {}
    for group, used in chosen:
        groups.setdefault((group.get(by) or NOBODY, used.counts), []).append((group, used))
    whole = sum(used.month_nano or 0 for (_, counts), each in groups.items() for _, used in each if counts)
    rows = [_part(facts, books, name, by, counts, each, whole) for (name, counts), each in groups.items()]
    rows.sort(key=lambda row: (not row.counts, -(row.month_usd or 0.0), -(row.today_usd or 0.0), row.name))
    return tuple(rows[:_MOST_PARTS])


def _part(
    facts: Facts,
    books: AccountBooks,
    name: str,
    by: str,
    counts: bool,
    members: list[Member],
    whole: int,
) -> PartRow:
    month = _sum(used.month_nano for _, used in members)
    requests = [used.requests for _, used in members if used.requests is not None]
    tokens = [used.tokens for _, used in members if used.tokens is not None]
    return PartRow(
        name=name,
        by=by,
        usd_per_hour=total(_hourly(books, group.get("source") or "", used) for group, used in members),
        today_usd=_usd(_sum(used.today_nano for _, used in members)),
        month_usd=_usd(month),
        share=month / whole if month is not None and whole > 0 and counts else None,
        requests=sum(requests) if requests else None,
        tokens=sum(tokens) if tokens else None,
        counts=counts,
        told=tuple(part_told(facts, books, by, month, whole, [group.get("source") or "" for group, _ in members])),
        charged=_charged([used for _, used in members]),
    )


def _hourly(books: AccountBooks, source: str, used: Used) -> float | None:
    """Return the $/hour over the window of its source: 0 where that is whole and has nothing in it."""
    window = books.windows.get(source)
    if window is None or not window.seconds:
        return None
    if used.now_nano is None and (used.now_unpriced or used.month_nano is None):
        return None
    return (used.now_nano or 0) / NANO * 3600 / window.seconds


def _sum(amounts: Iterable[int | None]) -> int | None:
    found: int | None = None
    for each in amounts:
        found = add_usd(found, each)
    return found


def _usd(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO
