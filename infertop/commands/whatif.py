"""`infertop whatif`: what the measured traffic would cost on other models and hardware, and at other sizes."""

from __future__ import annotations

import json
import math
import sys
from argparse import Namespace

from infertop.commands.book import price_book
from infertop.commands.choosing import choices_for
from infertop.commands.setup import Setup, complain, setup_or_status
from infertop.commands.whatif_text import as_text
from infertop.history.reader import Reader, Unreadable
from infertop.history.scopes import Scopes
from infertop.money.gpu_rates import default_rates, gpu_key
from infertop.money.rates import PriceBook
from infertop.money.toml_text import heading
from infertop.readings.safe import safe
from infertop.views.since import parse_instant
from infertop.views.whatif import Asked, whatif_page
from infertop.views.whatif_json import as_data

_MOST = 1e9
_MOST_FACTORS = 12


def run(options: Namespace) -> int:
    """Print what the traffic would cost elsewhere; status 2 for a wrong option, 1 where nothing is recorded."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    now = setup.clock.now()
    prices = price_book(setup)
    wrong: list[str] = []
    since, until = (_instant(text, now, setup, wrong) for text in (options.since, options.until))
    if until <= since and not wrong:
        wrong.append(f"--until ({safe(options.until, 40)}) is not after --since ({safe(options.since, 40)})")
    asked = _asked(options, prices, now, wrong)
    if wrong:
        return complain(wrong)
    try:
        with Reader(setup.database) as reader:
            choices = reader.ask(choices_for(setup))
            scopes = Scopes(setup.watcher.current.settings, choices.counts, choices.spans)
            page = reader.ask(whatif_page, prices, now, since, until, asked, scopes)
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    if options.json:
        sys.stdout.write(json.dumps(as_data(page), allow_nan=False) + "\n")
    elif page.subjects:
        sys.stdout.write(as_text(page, every=options.all or bool(asked.to)))
    if page.subjects:
        return 0
    for notice in page.notices:
        print(f"infertop: {safe(notice)}", file=sys.stderr)
    return 1


def _instant(text: str, now: float, setup: Setup, wrong: list[str]) -> float:
    try:
        return parse_instant(text, now, setup.watcher.current.settings.zone)
    except ValueError as error:
        wrong.append(str(error))
        return math.nan


def _asked(options: Namespace, prices: PriceBook, now: float, wrong: list[str]) -> Asked:
    """Return what is asked for; what cannot be asked goes to `wrong` as sentences."""
    tps = options.tokens_per_second
    if tps is not None and not 0 < tps < _MOST:
        wrong.append(f"--tokens-per-second {tps:g} must be above 0: tokens of all classes that one GPU serves")
    if options.gpu and prices.gpu_price(options.gpu, ts=now) is None:
        wrong.append(_no_rate(options.gpu))
    return Asked(
        model=options.model or "*",
        source=options.only_source or "*",
        to=tuple(options.to or ()),
        gpu=options.gpu or "",
        tokens_per_second=tps,
        scale=_factors(options.scale, wrong),
        every=bool(options.all),
    )


def _no_rate(gpu: str) -> str:
    """Return what to write in place of a GPU that has no rate."""
    name, key = safe(gpu, 80), gpu_key(gpu)
    sold = sorted(each for each in default_rates() if key is not None and each.startswith(f"{key}-"))
    if sold:
        return f'--gpu "{name}" comes at more than one price: name {" or ".join(sold)}'
    if key is not None:
        return f'--gpu "{name}" has no default rate: set usd_per_hour under {heading("gpu", gpu)} in pricing.toml'
    return f'--gpu "{name}" is no GPU that infertop knows: name it as NVML does, or its family ("H100")'


def _factors(text: str, wrong: list[str]) -> tuple[float, ...]:
    try:
        factors = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        factors = ()
    if not factors or len(factors) > _MOST_FACTORS or not all(0 < each < _MOST for each in factors):
        wrong.append(f'--scale "{safe(text, 40)}" must be factors above 0 like 1,10,100; {_MOST_FACTORS} at most')
    return factors
