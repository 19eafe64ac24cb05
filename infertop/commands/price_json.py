"""A model's price as JSON for a script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from infertop.commands.price_pages import Change, Page
from infertop.commands.priced_line import plain
from infertop.money.book.listing import Listed
from infertop.money.quote import Quote
from infertop.views.once import timestamp


def page_json(page: Page) -> dict[str, Any]:
    """Return what is known of a model's price."""
    return {
        "model": page.asked,
        "provider": page.provider,
        "context_window": page.entry.context_window if page.entry else None,
        **quote_json(page.quote),
        "variants": {way: quote_json(quote) for way, quote in page.variants.items()},
        "list": quote_json(page.listed) if page.listed else None,
        "changes": list(_changes(page.changes)),
        "next_hours": list(_changes(page.hours)),
        "correction": page.why or None,
    }


def quote_json(quote: Quote) -> dict[str, Any]:
    """Return a quote; USD are decimal strings."""
    return {
        "matched": quote.matched,
        "list_of": quote.provider,
        "source": quote.source,
        "from": quote.since or None,
        "flags": list(quote.flags),
        "prices": {
            name: {
                "usd": plain(unit.usd),
                "per": unit.per,
                "source": unit.source,
                "from": unit.since or None,
                "price_of": unit.stands_for or None,
                "tiers": [{"above": above, "usd": plain(usd)} for above, usd in unit.tiers],
            }
            for name, unit in quote.prices.items()
        },
    }


def _changes(changes: Iterable[Change]) -> Iterable[dict[str, Any]]:
    for change in changes:
        start = timestamp(change.start) if isfinite(change.start) else None
        yield {"start": start, **quote_json(change.quote)}


def others_json(others: Sequence[Listed]) -> list[dict[str, Any]]:
    """Return other models that the name may mean."""
    return [{"provider": each.provider, "model": each.model, "name": each.name} for each in others]
