"""How the figures on the page of providers were come by: inputs, formula, and how old what was told is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from infertop.money.lines import NANO
from infertop.readings.safe import safe
from infertop.views.account_books import AccountBooks
from infertop.views.account_shapes import DayRow
from infertop.views.explain_api import age_line
from infertop.views.facts import Facts
from infertop.views.wording import amount, enough, number, span, usd


def charge_words(charged_nano: int | None, computed_nano: int | None) -> str:
    """Return what of the month was told as charged with the usage itself, empty where nothing was."""
    if charged_nano is None:
        return ""
    if not computed_nano:
        return "its usage is told with what it charged: nothing of it is computed"
    parts = usd(charged_nano / NANO, 2), usd(computed_nano / NANO, 2)
    return f"{parts[0]} of this month is what its usage was charged, {parts[1]} is computed from it"


def account_told(
    facts: Facts, books: AccountBooks, source: str, settled_until: float | None, charged: str = ""
) -> Iterator[str]:
    """Yield how spend, settlement and drift of an account were come by."""
    yield f"$/h: {age_line(facts, source, facts.api.windows[source])}"
    yield f"today, month: the ledger's lines since midnight, and since the month began, in {facts.timezone}"
    yield f"  {charged or 'tokens and calls as told, times prices'}"
    yield f"  the history was read {span(max(0.0, facts.now - books.at))} ago"
    days = [day for day in books.days.get(source, ()) if day.settled]
    if settled_until is None or not days:
        yield "settled: nothing yet; a day of the provider is, some time after its end, when its bills are final"
        return
    yield f"settled: days that ended by {_day(settled_until)} (UTC); their lines sum to the bills, to the last unit"
    yield "  adjustment lines, billed minus computed, were added to what was computed; quantities are never touched"
    yield from _drift(days)


def _drift(days: list[DayRow]) -> Iterator[str]:
    billed, computed = sum(day.billed_usd for day in days), sum(day.computed_usd for day in days)
    drift = billed - computed
    texts = enough(drift, lambda one, other: one - other, billed, computed)
    yield "drift = billed - computed, over the settled days that were read"
    yield f"  = {texts[0]} - {texts[1]} = {amount(drift)} USD"
    if computed:
        texts = enough(drift / computed * 100, lambda one, other: one / other * 100, drift, computed)
        yield f"  {texts[0]} / {texts[1]} x 100 = {amount(drift / computed * 100)} : % of {len(days)} days"


def part_told(
    facts: Facts, books: AccountBooks, by: str, month_nano: int | None, whole_nano: int, sources: Iterable[str]
) -> Iterator[str]:
    """Yield how the spend of a part was come by."""
    yield f"the ledger's lines of this {by}, since midnight and since the month began in {facts.timezone}"
    yield f"  the history was read {span(max(0.0, facts.now - books.at))} ago"
    if month_nano is not None and whole_nano > 0:
        part, whole = month_nano / NANO, whole_nano / NANO
        texts = enough(part / whole, lambda one, other: one / other, part, whole)
        yield f"share = {texts[0]} / {texts[1]} = {amount(part / whole)} : of this month's spend that counts here"
    for source in dict.fromkeys(sources):
        if (window := facts.api.windows.get(source)) is not None:
            yield f"$/h: {age_line(facts, source, window)}"
    yield "  ids are called by the names that the provider gave them; (none): it does not say, or [[assign]] gives none"


def _day(ts: float) -> str:
    return safe(f"{datetime.fromtimestamp(ts, UTC):%d %b %H:%M}") if ts < 4e9 else number(ts)
