"""What to paste into pricing.toml for something that has no price."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from infertop.money.book.listing import Listing
from infertop.money.toml_text import heading, quoted


def model_snippet(model: str, provider: str = "", classes: Iterable[str] = ("input", "output")) -> list[str]:
    """Return the lines of a [model] entry, to be filled in."""
    lines = [heading("model", model)]
    if provider:
        lines.append(f"provider = {quoted(provider)}")
    return [*lines, *(f"{name} = 0.00            # USD per 1M tokens" for name in classes)]


def gpu_snippet(name: str, usd_per_hour: str = "0.00") -> list[str]:
    """Return the lines of a [gpu] entry: rented, or owned."""
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
