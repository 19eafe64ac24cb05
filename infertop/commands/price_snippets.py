"""What to paste into pricing.toml for something that has no price.

What is to be filled in is no number, so that pricing.toml refuses it as it is: 0 would make it free.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from infertop.money.book.listing import Listing
from infertop.money.toml_text import heading, quoted

TO_FILL_IN = '"?"'


def model_snippet(model: str, provider: str = "", classes: Iterable[str] = ("input", "output")) -> list[str]:
    """Return the lines of a [model] entry, to be filled in."""
    lines = [heading("model", model)]
    if provider:
        lines.append(f"provider = {quoted(provider)}")
    return [*lines, *(f"{name} = {TO_FILL_IN}             # USD per 1M tokens, a number" for name in classes)]


def gpu_snippet(name: str, usd_per_hour: str = TO_FILL_IN) -> list[str]:
    """Return the lines of a [gpu] entry: rented, at that rate or one to be filled in; or owned."""
    return [
        heading("gpu", name),
        f"usd_per_hour = {usd_per_hour}     # rented; or, owned:",
        "# purchase_usd = 0",
        "# lifetime_years = 3",
        "# residual_usd = 0",
    ]


def nearest(listing: Listing, model: str, count: int = 5) -> list[str]:
    """Return the names of models that are spelt almost like `model`."""
    names = sorted({each.model for each in listing.models()})
    return get_close_matches(model.lower().rpartition("/")[2][:100], names, n=count, cutoff=0.6)
