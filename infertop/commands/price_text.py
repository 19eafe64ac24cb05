"""A model's price as text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

from infertop.commands.price_pages import Page, own_price
from infertop.commands.priced_line import plain
from infertop.money.book.listing import Listed
from infertop.money.quote import CORRECTED, Quote, UnitPrice
from infertop.money.rates import PriceBook
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES
from infertop.readings.safe import safe

WIDTH = 79
_OTHERS = 20
_CELL = 8


def page_lines(page: Page, book: PriceBook, now: float) -> Iterator[str]:
    """Iterate over the lines of a model's page."""
    yield from _heading(page, book, now)
    yield from _table(page)
    yield from _tiers(page)
    yield from _calls(page)
    for change in page.hours:
        yield f"  from {_minute(change.start)} UTC: {_main(change.quote)}"
    if page.hours:
        yield "  and so on: the price goes by the hour of the day"
    yield from _dated(page)
    if page.entry and page.entry.note:
        yield from wrapped(f"the list says: {page.entry.note}")
    told = [flag for flag in page.quote.flags if flag != CORRECTED or not page.why]
    if told:
        yield from wrapped(", ".join(told))
    if page.why:
        yield from wrapped(f"corrected: {page.why}")


def _heading(page: Page, book: PriceBook, now: float) -> Iterator[str]:
    quote, entry = page.quote, page.entry
    name = "" if quote.matched == page.asked else f" = {safe(quote.matched, 50)}"
    context = f", context {entry.context_window:,} tokens" if entry and entry.context_window else ""
    yield safe(f"{page.asked}{name}  {page.provider}{context}", WIDTH)
    way = f" ({safe(page.way, 40)})" if str(page.way) else ""
    yield f"  USD per 1M tokens{way}, {safe(quote.source, 40)}{_age(quote.source, book, now)}"


def _age(source: str, book: PriceBook, now: float) -> str:
    """Say how old the list is that the price is from."""
    return f", {age_days(book, now)} days old" if source == book.listing.name else ""


def age_days(book: PriceBook, now: float) -> int:
    """Return for how many days the list prices are as they are."""
    return max((datetime.fromtimestamp(now, UTC).date() - date.fromisoformat(book.listing.date)).days, 0)


def _table(page: Page) -> Iterator[str]:
    columns = _columns(page)
    ways = list(columns)
    widths = [max(len(way) + 2, 10) for way in ("price", *ways)]
    own = [(name, unit) for name in TOKEN_CLASSES if (unit := page.quote.prices.get(name)) and own_price(unit)]
    if own:
        titles = zip(("price", *ways), widths, strict=True)
        yield f"  {'CLASS':15}" + "".join(f"{way.upper():>{width}}" for way, width in titles) + "  FROM"
    for name, unit in own:
        others = [columns[way].prices.get(name) for way in ways]
        cells = [plain(each.usd) if each else "-" for each in (unit, *others)]
        figures = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        told = _from(name, unit, page)
        line = f"  {name:15}{figures}  {told}".rstrip()
        yield from (line,) if len(line) <= WIDTH else (line[: -len(told)].rstrip(), f"    {told}")
    as_kind = sorted((unit.stands_for, name) for name, unit in page.quote.prices.items() if unit.stands_for)
    for kind in dict.fromkeys(kind for kind, _ in as_kind):
        yield from wrapped(f"priced as {kind}: {', '.join(name for other, name in as_kind if other == kind)}")
    for way, quote in page.variants.items():
        if quote.since and quote.since != page.quote.since:
            yield f"  {way} since {safe(quote.since, 20)}"


def _columns(page: Page) -> dict[str, Quote]:
    """Return the other ways by what they are called, those with the same prices together."""
    columns: dict[str, Quote] = {}
    for way, quote in page.variants.items():
        same = next((other for other, each in columns.items() if _usd(each) == _usd(quote)), None)
        columns[f"{same}/{way}" if same else way] = columns.pop(same) if same else quote
    return columns


def _usd(quote: Quote) -> dict[str, object]:
    return {name: (unit.usd, unit.per, unit.tiers) for name, unit in quote.prices.items()}


def _from(name: str, unit: UnitPrice, page: Page) -> str:
    told = [unit.source] if unit.source != page.quote.source else []
    told += [f"since {unit.since}"] if unit.since else []
    listed = page.listed.prices.get(name) if page.listed else None
    if listed is not None and listed.usd * unit.per != unit.usd * listed.per:
        told.append(f"(list {plain(listed.usd)}{'' if listed.per == unit.per else f' per {listed.per:,}'})")
    return safe(" ".join(told), 70)


def _tiers(page: Page) -> Iterator[str]:
    for way, quote in {"": page.quote, **_columns(page)}.items():
        edges = sorted({above for unit in quote.prices.values() for above, _ in unit.tiers})
        for edge in edges:
            told = (
                f"{name} {plain(unit.at(edge + 1))}"
                for name, unit in quote.prices.items()
                if own_price(unit) and any(above == edge for above, _ in unit.tiers)
            )
            begun = f"{way} above" if way else "above"
            yield from wrapped(f"{begun} {edge:,} prompt tokens, for all of a request: {', '.join(told)}")


def _calls(page: Page) -> Iterator[str]:
    others = _columns(page)
    for name, unit in page.quote.prices.items():
        if name not in CALL_UNITS or not own_price(unit):
            continue
        told = [f"{plain(unit.usd)} USD per {unit.per:,}"]
        told += [
            f"{way} {plain(other.usd)}"
            for way, quote in others.items()
            if (other := quote.prices.get(name)) and other.usd != unit.usd
        ]
        told += [f"at least {unit.minimum:,} each time"] if unit.minimum else []
        told += [where] if (where := _from(name, unit, page)) else []
        yield from wrapped(f"{name:28} {', '.join(told)}")


def _dated(page: Page) -> Iterator[str]:
    now = page.quote
    if isfinite(now.start) and page.changes:
        yield f"  in force since {day(now.start)}" + (f", until {day(now.end)}" if isfinite(now.end) else "")
    for change in page.changes:
        until = f" until {day(change.quote.end)}" if isfinite(change.quote.end) else ""
        begun = f"from {day(change.start)}" if isfinite(change.start) else "at first"
        yield from wrapped(f"{begun}{until}: {_main(change.quote)}")


def _main(quote: Quote) -> str:
    return ", ".join(
        f"{name} {plain(unit.usd)}{''.join(f' ({plain(usd)} above {above:,})' for above, usd in unit.tiers)}"
        for name, unit in quote.prices.items()
        if name in TOKEN_CLASSES and own_price(unit)
    )


def others_lines(others: Sequence[Listed], book: PriceBook, ts: float) -> Iterator[str]:
    """Iterate over the lines of a table of other models, within bounds."""
    yield f"  {'PROVIDER':14} {'MODEL':44} {'INPUT':>8} {'OUTPUT':>8}"
    for each in others[:_OTHERS]:
        quote = book.quote(each.provider, each.model, ts)
        prices = [quote.prices.get(name) if quote else None for name in ("input", "output")]
        cells = " ".join(f"{_short(unit.usd) if unit else '-':>8}" for unit in prices)
        yield f"  {safe(each.provider, 14):14} {safe(each.model, 44):44} {cells}"
    if (more := len(others) - _OTHERS) > 0:
        yield f"  and {more:,} more: write more of the name, or --provider"


def _short(usd: Decimal) -> str:
    """Return an amount in 8 characters: some lists have prices with 17 digits, which their own page shows."""
    exact = plain(usd)
    if len(exact) <= _CELL:
        return exact
    rounded = plain(round(usd, 6))
    return rounded if rounded != "0" and len(rounded) <= _CELL else f"{usd:.3g}"


def day(ts: float) -> str:
    """Return the UTC date of a moment, with the time where it is not midnight."""
    at = datetime.fromtimestamp(ts, UTC)
    return at.date().isoformat() if at.time() == at.min.time() else f"{at:%Y-%m-%d %H:%M} UTC"


def _minute(ts: float) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%a %Y-%m-%d %H:%M}"


def wrapped(text: str) -> list[str]:
    """Return a paragraph, two columns in."""
    return textwrap.wrap(safe(text, 2000), WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
