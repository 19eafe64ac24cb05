"""`infertop prices`: what a model or a GPU costs, where that is from and how old it is."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from infertop.commands.book import data_folder, owner, price_book
from infertop.commands.setup import Setup, complain, setup_or_status
from infertop.money.quote import Way, way_by
from infertop.money.rates import PriceBook
from infertop.readings.safe import safe
from infertop.views.since import parse_instant

_NAMES = 20
_GPUS_IN_FULL = 3
_OTHERS_JSON = 200


def run(options: Namespace) -> int:
    """Print what is asked for; status 1 where a name has no price, or the book could not be refreshed."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    if len(options.names) > _NAMES:
        return complain([f"at most {_NAMES} names at once"])
    if not all(name.strip() for name in options.names):
        return complain(["a name is empty: leave it out for what the price book is"])
    try:
        zone = setup.watcher.current.settings.zone
        ts = parse_instant(options.at, setup.clock.now(), zone)
        since = parse_instant(options.since, setup.clock.now(), zone)
    except ValueError as error:
        return complain([str(error)])
    if options.refresh:
        return _refresh(setup)
    if options.unpriced:
        from infertop.commands.unpriced import show_unpriced

        return show_unpriced(setup, price_book(setup), since, as_json=options.json)
    book = price_book(setup)
    if not options.names:
        return _about(setup, book, options)
    return _named(book, options, ts, setup.clock.now())


def _refresh(setup: Setup) -> int:
    from infertop.commands.price_text import wrapped
    from infertop.money.book.refresh import CannotRefreshError, refresh

    zone = setup.watcher.current.settings.zone
    try:
        _print(wrapped(refresh(data_folder(), datetime.fromtimestamp(setup.clock.now(), zone).date())))
    except CannotRefreshError as error:
        print(f"infertop: {safe(error, 2000)}", file=sys.stderr)
        return 1
    return 0


def _about(setup: Setup, book: PriceBook, options: Namespace) -> int:
    from infertop.commands.price_about import about_json, about_lines

    if options.json:
        print(json.dumps(about_json(book, setup.clock.now())))
        return 0
    _print(about_lines(setup, book, setup.clock.now()))
    return 0


def _named(book: PriceBook, options: Namespace, ts: float, now: float) -> int:
    """Print the prices of each name; words that mean one GPU together are one name."""
    from infertop.commands.price_gpus import is_one_gpu

    names = [" ".join(options.names)] if is_one_gpu(options.names, book) else list(dict.fromkeys(options.names))
    way = way_by(options.batch, options.tier)
    answers = [_Answer(book, name, options.provider, way, ts) for name in names]
    if options.json:
        from infertop.views.once import timestamp

        shown = {"schema": 1, "at": timestamp(ts), "names": [each.as_json() for each in answers]}
        print(json.dumps(shown, allow_nan=False))
    else:
        _print(chain.from_iterable(each.lines(now, first=n == 0) for n, each in enumerate(answers)))
    return 0 if all(each.found for each in answers) else 1


def _print(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


class _Answer:
    """What a name means: models, others that it may mean, GPUs."""

    def __init__(self, book: PriceBook, name: str, provider: str | None, way: Way, ts: float) -> None:
        from infertop.commands.price_gpus import gpu_names
        from infertop.commands.price_pages import pages

        self._book, self._name, self._ts = book, name, ts
        self._provider = provider or ""
        whose, model = owner(book, name, provider, ts)
        self.pages = pages(book, model, whose or None, way, ts)
        self.gpus = [] if provider else gpu_names(name, book)
        shown = {(each.quote.provider, each.quote.matched) for each in self.pages}
        listed = book.listing.provider(provider) if provider else None
        self.others = [
            each
            for each in book.listing.search(name)
            if (each.provider, each.model) not in shown and (provider is None or each.provider == listed)
        ]

    @property
    def found(self) -> bool:
        """Whether the name means anything that has a price."""
        from infertop.commands.price_gpus import gpu_priced

        return bool(self.pages or self.others) or any(gpu_priced(each, self._book, self._ts) for each in self.gpus)

    def lines(self, now: float, *, first: bool) -> Iterator[str]:
        """Iterate over the lines about it."""
        from infertop.commands.price_gpus import gpu_lines, gpu_table
        from infertop.commands.price_text import others_lines, page_lines

        blocks: list[Iterable[str]] = [page_lines(page, self._book, now) for page in self.pages]
        if len(self.gpus) > _GPUS_IN_FULL:
            blocks.append(gpu_table(self.gpus, self._book, self._ts))
        else:
            blocks += [gpu_lines(each, self._book, self._ts) for each in self.gpus]
        if self.others:
            title = "models that the name may also mean" if self.pages else f"models with {safe(self._name, 50)}"
            blocks.append([f"{title}, USD per 1M tokens", *others_lines(self.others, self._book, self._ts)])
        for n, block in enumerate(blocks or [self._unknown()]):
            yield from () if first and n == 0 else ("",)
            yield from block

    def _unknown(self) -> Iterator[str]:
        from infertop.commands.price_snippets import model_snippet, nearest
        from infertop.commands.price_text import wrapped

        of = f" of {safe(self._provider, 12)}" if self._provider else ""
        yield f"{safe(self._name, 34)}{of}: no price is known; in pricing.toml:"
        yield from (f"  {line}" for line in model_snippet(self._name, self._provider))
        if near := nearest(self._book.listing, self._name):
            yield from wrapped(f"or is it one of these? {', '.join(near)}")

    def as_json(self) -> dict[str, object]:
        """Return it for a script."""
        from infertop.commands.price_gpus import gpu_json
        from infertop.commands.price_json import others_json, page_json

        return {
            "name": self._name,
            "models": [page_json(each) for each in self.pages],
            "gpus": [gpu_json(each, self._book, self._ts) for each in self.gpus],
            "others": others_json(self.others[:_OTHERS_JSON]),
        }
