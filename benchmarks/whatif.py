"""How long a what-if takes: the page of an hour over a ledger of a busy week, and one traffic on every priced model.

The ledger has ten engines on ten GPUs, a line a minute for each thing counted. Nothing is compared with, for no peer
does this; times are on the clock, the best of some rounds.

    python benchmarks/whatif.py      exits with 1 where a target is missed
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import figure, heading
from infertop.history.drops import transaction
from infertop.history.ledger import Ledger
from infertop.history.open import open_store
from infertop.history.reader import Reader
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.views.whatif import Asked, whatif_page
from tests.whatif_world import HOUR, NOON, OWN, gpu, tokens

ENGINES, MINUTES, ROUNDS = 10, 7 * 24 * 60, 5
_LINES = "INSERT INTO lines VALUES (?,?,?,?,?,0)"


def main() -> int:
    """Print the figures; return 1 where one is above its target."""
    heading("infertop whatif")
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(week(Path(folder) / "week.db"))

        def page(asked: Asked) -> Callable[[], object]:
            """Make a page as a fresh process would: nothing is remembered of the list."""
            return lambda: reader.ask(whatif_page, PriceBook(Settings()), NOON, NOON - HOUR, NOON, asked)

        good = [
            figure("page of 10 engines, about 20 alternatives each", best(page(Asked())), "s", 0.5),
            figure("one engine on every priced model", best(page(Asked(model="llama-0", every=True))), "s", 0.3),
        ]
        figure("page of 10 engines on every priced model", best(page(Asked(every=True))), "s")
        reader.close()
    return 0 if all(good) else 1


def best(work: Callable[[], object]) -> float:
    """Return seconds of the quickest round."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def week(path: Path) -> Path:
    """Make the ledger of a week in which every engine did the same in every minute."""
    store = open_store(path, NOON)
    assert store.connection is not None
    ledger = Ledger(store.connection)
    minute = [*tokens(OWN, input=50_000, cache_read=20_000, output=8_000, requests=40), *gpu(42_000)]
    entries = [
        ledger.accounts.entry(replace(line, source=f"vllm@127.0.0.1:{8000 + n}", model=f"llama-{n}"))
        for n in range(ENGINES)
        for line in minute
    ]
    starts = range(int(NOON) - MINUTES * 60, int(NOON), 60)
    rows = [(start, start + 60, each.account, each.quantity, each.usd_nano) for start in starts for each in entries]
    with transaction(store.connection):
        ledger.write(store.connection)
        store.connection.executemany(_LINES, rows)
        store.connection.executemany("INSERT INTO coverage VALUES (?,60000)", [(start,) for start in starts])
    store.close()
    return path


if __name__ == "__main__":
    sys.exit(main())
