"""`infertop cost`: price usage records, one line of JSON for each."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator

from infertop.commands.book import price_book
from infertop.commands.input_lines import LONGEST, Unreadable, line_batches, opened
from infertop.commands.priced_line import PricedLines, error_line
from infertop.commands.setup import setup_or_status
from infertop.commands.usage_record import NoRecord, read_record
from infertop.money.book.listing import Listing
from infertop.readings.model import LOCAL
from infertop.readings.safe import safe

_TOO_LONG = f"is longer than {LONGEST} bytes: it is not read"


def run(options: Namespace) -> int:
    """Write a line for each record; status 1 where one was none, or a file could not be read."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    book = price_book(setup)
    prices = PricedLines(book.quote, lambda provider, model: _lacking(book.listing, provider, model))
    good, refused, read = True, 0, 0
    for name in options.files:
        answers = _Answers(prices, setup.clock.now, safe(name) if len(options.files) > 1 else "")
        try:
            with opened(name) as file:
                for lines in answers.of(line_batches(file, name)):
                    sys.stdout.write(lines)
                    sys.stdout.flush()  # before the next read, which may wait for whoever writes
        except Unreadable as error:
            print(f"infertop: {error}", file=sys.stderr)
            good = False
        refused, read = refused + answers.refused, read + answers.read
    if refused or prices.unpriced:
        print(f"infertop: {_told(read, refused, prices.unpriced)}", file=sys.stderr)
    return 0 if good and not refused else 1


def _lacking(listing: Listing, provider: str, model: str) -> str:
    """Return the flag that says why a model has no price."""
    if provider != LOCAL and listing.provider(provider) is None:
        return "unknown_provider"
    return "listed_without_price" if listing.lists(provider, model) else "unknown_model"


def _told(read: int, refused: int, unpriced: int) -> str:
    """Count what is missing from a sum of the answers."""
    told = [f"{refused:,} {'is' if refused == 1 else 'are'} no usage record"] if refused else []
    told += [f"{unpriced:,} {'has' if unpriced == 1 else 'have'} no price, or not for all"] if unpriced else []
    return f"of {read:,} lines {' and '.join(told)}"


class _Answers:
    """The answers to the lines of one file: `read` are answered, of which `refused` are no usage record."""

    def __init__(self, prices: PricedLines, now: Callable[[], float], file: str) -> None:
        self._line = prices.line
        self._now = now
        self._file = file
        self.refused = 0
        self.read = 0

    def of(self, batches: Iterator[list[bytes | None]]) -> Iterator[str]:
        """Iterate over the text that answers each batch."""
        number = 0
        for batch in batches:
            now = self._now()
            answers = []
            for line in batch:
                number += 1
                if line is None or (not line.isspace() and line):
                    answers.append(self._answer(line, number, now))
            self.read += len(answers)
            yield "".join(answers)

    def _answer(self, line: bytes | None, number: int, now: float) -> str:
        try:
            if line is None:
                raise NoRecord(_TOO_LONG)
            return self._line(read_record(line, now)) + "\n"
        except NoRecord as refused:
            self.refused += 1
            return error_line(number, str(refused), refused.id, self._file) + "\n"
