"""`infertop prices --unpriced`: the recorded models whose tokens have no price, and what to paste for them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from textwrap import wrap

from infertop.commands.price_snippets import model_snippet, nearest
from infertop.commands.price_text import WIDTH, day
from infertop.commands.setup import Setup
from infertop.history.reader import Reader, Unreadable
from infertop.history.unpriced import Unpriced, unpriced
from infertop.money.rates import PriceBook
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import safe
from infertop.views.once import timestamp

_SHOWN = 100


def show_unpriced(setup: Setup, book: PriceBook, since: float, *, as_json: bool) -> int:
    """Print them; status 1 without a history."""
    now = setup.clock.now()
    try:
        with Reader(setup.database) as reader:
            found = reader.ask(unpriced, since, now + 60)
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    if as_json:
        sys.stdout.write(_json(found, since, now))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(found, book, since)))
    return 0


def _lines(found: Sequence[Unpriced], book: PriceBook, since: float) -> Iterator[str]:
    if not found:
        yield f"since {timestamp(since)} every token that should have a price has one"
        return
    yield f"since {timestamp(since)}, without a price and in no sum of dollars:"
    yield f"  {'PROVIDER':14} {'MODEL':26} {'TOKENS':>14}  LAST USED"
    for each in found[:_SHOWN]:
        tokens = sum(each.tokens.values())
        name = safe(each.model or "(none)", 26)
        yield f"  {safe(each.provider or '(none)', 14):14} {name:26} {tokens:14,}  {day(each.last)}"
    if (more := len(found) - _SHOWN) > 0:
        yield f"  and {more:,} more"
    yield ""
    yield "put what they cost into pricing.toml:"
    for each in found[:_SHOWN]:
        yield ""
        classes = [name for name in TOKEN_CLASSES if each.tokens.get(name)]
        yield from model_snippet(each.model, each.provider, classes)
        if near := nearest(book.listing, each.model, 3):
            listed = safe(f"# listed are: {', '.join(near)}", 300)
            yield from wrap(listed, WIDTH, subsequent_indent="#   ", break_on_hyphens=False)


def _json(found: Sequence[Unpriced], since: float, now: float) -> str:
    rows = [
        {"provider": each.provider, "model": each.model, "tokens": each.tokens, "last": timestamp(each.last)}
        for each in found
    ]
    return json.dumps({"schema": 1, "since": timestamp(since), "until": timestamp(now), "rows": rows}) + "\n"
