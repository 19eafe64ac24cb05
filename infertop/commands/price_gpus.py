"""What an hour of a GPU costs, as text: the formula, where the rate is from, and what a slice of it costs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from infertop.commands.price_snippets import TO_FILL_IN, gpu_snippet
from infertop.commands.price_text import wrapped
from infertop.commands.priced_line import plain
from infertop.money import gpu_rates
from infertop.money.rates import PriceBook
from infertop.readings.safe import safe

_MAKER = re.compile(r"NVIDIA |GeForce |Quadro |Tesla |AMD (Instinct|Radeon) ", re.IGNORECASE)


def gpu_names(name: str, book: PriceBook) -> list[str]:
    """Return the GPUs that a name means: NVML's name, a key, a family of keys, or a part of some.

    One of no known kind means itself where pricing.toml names it, or it is named as its maker names GPUs.
    """
    if key := gpu_rates.gpu_key(name):
        kinds = [each for each in gpu_rates.default_rates() if each == key or each.startswith(f"{key}-")]
        return [name] if key in kinds or not kinds else [name, *kinds]
    if any(each.name == name for each in book.settings.gpus):
        return [name]
    letters = _letters(name)
    if len(letters) < 2 or (not any(ch.isdigit() for ch in letters) and letters not in ("RTX", "GTX", "TESLA")):
        return []
    found = [each for each in gpu_rates.default_rates() if letters in _letters(each)]
    return found or ([name] if _MAKER.match(name) else [])


def is_one_gpu(words: Sequence[str], book: PriceBook) -> bool:
    """Say whether several words are the name of one GPU, written without quotes."""
    together = " ".join(words)
    if len(words) < 2 or all(gpu_names(each, book) for each in words):
        return False
    if gpu_rates.gpu_key(together):
        return True
    return not any(" " in each for each in words) and bool(gpu_names(together, book))


def _letters(name: str) -> str:
    return "".join(ch for ch in name.upper() if ch.isalnum())


def gpu_lines(name: str, book: PriceBook, ts: float) -> Iterator[str]:
    """Iterate over the lines about one GPU."""
    rate = book.gpu_rate(name, ts=ts)
    usd = f"{plain(rate.price.usd)} USD/h" if rate.price else "no price"
    yield f"{safe(name, 50)}  GPU {rate.key or 'of an unknown kind'}  {usd}"
    if rate.price:
        since = f", since {rate.price.since}" if rate.price.since else ""
        yield f"  {safe(rate.price.source, 60)}{since}"
    for line in rate.lines:
        yield from wrapped(line)
    if rate.owned:
        for line in book.explain_gpu(name, None, None, ts)[len(rate.lines) :]:
            yield from wrapped(line)
    row = gpu_rates.default_rates().get(rate.key or "")
    if row is not None:
        default = f"{plain(row.usd_per_hour)} USD/h" if row.usd_per_hour is not None else "none"
        yield f"  default rate {default} of {row.date}, board power {row.tdp_watts} W"
    of = gpu_rates.divided_into(rate.key)
    if rate.price and rate.part is None and of:
        yield f"  a MIG slice: 1/{of} of the compute = {plain(round(rate.price.usd / of, 6))} USD/h"
    if rate.price is None or rate.price.default:
        yield "  put what you pay into pricing.toml:"
        for line in gpu_snippet(gpu_rates.without_mig(name), plain(rate.price.usd) if rate.price else TO_FILL_IN):
            yield f"    {line}"


def gpu_priced(name: str, book: PriceBook, ts: float) -> bool:
    """Say whether a GPU has a price."""
    return book.gpu_rate(name, ts=ts).price is not None


def gpu_table(names: Iterable[str], book: PriceBook, ts: float) -> Iterator[str]:
    """Iterate over the lines of a table of GPUs."""
    yield f"  {'GPU':28} {'USD/h':>12} {'RANGE':>14} {'WATTS':>7}  FROM"
    for name in names:
        rate, row = book.gpu_rate(name, ts=ts), gpu_rates.default_rates().get(gpu_rates.gpu_key(name) or "")
        usd = plain(round(rate.price.usd, 6)) if rate.price else "-"
        wide = f"{row.low} to {row.high}" if row and row.low is not None and row.high is not None else "-"
        watts = str(row.tdp_watts) if row else "-"
        source = safe(rate.price.source, 12) if rate.price and not rate.price.default else ""
        yield f"  {safe(name, 28):28} {usd:>12} {wide:>14} {watts:>7}  {source}".rstrip()


def gpu_json(name: str, book: PriceBook, ts: float) -> dict[str, Any]:
    """Return the same for a script."""
    rate = book.gpu_rate(name, ts=ts)
    row = gpu_rates.default_rates().get(rate.key or "")
    price = rate.price
    return {
        "name": name,
        "key": rate.key,
        "usd_per_hour": plain(price.usd) if price else None,
        "source": price.source if price else None,
        "from": (price.since or None) if price else None,
        "default": bool(price and price.default),
        "owned": rate.owned,
        "explained": list(rate.lines),
        "tdp_watts": row.tdp_watts if row else None,
        "low": plain(row.low) if row and row.low is not None else None,
        "high": plain(row.high) if row and row.high is not None else None,
        "compute_slices": gpu_rates.divided_into(rate.key),
    }
