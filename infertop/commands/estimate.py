"""`infertop estimate`: count the tokens of files and say what they would cost, by model and in total."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from infertop.commands.book import owner, price_book, sellers
from infertop.commands.counters import Counters, Counting
from infertop.commands.estimate_forms import Counted, Estimate, as_json, as_text
from infertop.commands.input_lines import STDIN, Unreadable
from infertop.commands.setup import setup_or_status
from infertop.commands.token_count import texts, total
from infertop.money.cost import cost
from infertop.money.quote import STANDARD_RATE, Cost, Quote, Way
from infertop.money.rates import PriceBook

_BATCH = Way(batch=True)


def run(options: Namespace) -> int:
    """Print the estimate; status 1 where a file could not be counted."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    models = tuple(dict.fromkeys(options.model))
    at_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty() and STDIN not in options.files
    counters = Counters(fetch=options.download, ask=at_terminal)
    countings = list(counters.of(models))
    for sentence in counters.failed:
        print(f"infertop: {sentence}", file=sys.stderr)
    files, good = _counted(options.files, countings)
    book, now = price_book(setup), setup.clock.now()
    estimates = [
        _estimate(book, model, options.provider, counting, [(name, tokens[n]) for name, tokens in files], options, now)
        for n, (model, counting) in enumerate(zip(models, countings, strict=True))
    ]
    if files:
        form = as_json if options.json else as_text
        sys.stdout.write(form(estimates, options.output_tokens))
    return 0 if good and not counters.failed else 1


def _counted(names: Sequence[str], countings: Sequence[Counting]) -> tuple[list[tuple[str, list[int]]], bool]:
    """Return the tokens of each file by each counting, read once, and whether every file could be read."""
    found, good = [], True
    for name in names:
        try:
            found.append((name, total(texts(name), [each.count for each in countings])))
        except Unreadable as error:
            print(f"infertop: {error}", file=sys.stderr)
            good = False
    return found, good


def _estimate(
    book: PriceBook,
    model: str,
    provider: str | None,
    counting: Counting,
    files: Sequence[tuple[str, int]],
    options: Namespace,
    now: float,
) -> Estimate:
    whose, name = owner(book, model, provider, now)
    quote, batch = book.quote(whose, name, now), book.quote(whose, name, now, _BATCH)
    if batch is not None and any(flag.startswith(STANDARD_RATE) for flag in batch.flags):
        batch = None
    counted = tuple(
        Counted(file, tokens, _cost(quote, tokens, options.output_tokens), _cost(batch, tokens, options.output_tokens))
        for file, tokens in files
    )
    return Estimate(model, quote, counting, counted, () if quote else tuple(sellers(book, name)))


def _cost(quote: Quote | None, tokens: int, output: int) -> Cost:
    return cost(quote, {"input": tokens, "output": output})
