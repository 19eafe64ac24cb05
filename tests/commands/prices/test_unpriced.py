"""What was used and has no price."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infertop.history.drops import transaction
from infertop.history.ledger import Ledger
from infertop.history.open import open_store
from infertop.money.lines import Basis, Line, Price
from tests.commands.prices.asking import NOON, Run

USED = Line(0, 60, "openai", "openai", "gpt-new", "input", (), 40, "tokens", None, None, Basis.COMPUTED)
PRICE = Price("gpt-4o", Decimal("2.5"), "1M tokens", "pricing.toml:4")
EVIL = "\x1b[2J\u202eevil"


@pytest.fixture
def history(tmp_path: Path) -> None:
    """Models without a price and with one, used lately and long ago."""
    lines = (
        used(2),
        used(1, resource="output", quantity=2, dimensions=(("key", "a"),)),
        used(3, model="claude-soon", provider="anthropic", quantity=1_000_000),
        used(40, model="long-ago"),
        used(1, model="gpt-4o", price=PRICE, usd_nano=7),
        used(1, model="llama", provider="local"),
        used(1, model=EVIL, provider="acme", quantity=1),
    )
    store = open_store(tmp_path / "x.db", NOON)
    assert store.connection is not None
    ledger = Ledger(store.connection)
    ledger.close(sorted(lines, key=lambda line: line.start))
    with transaction(store.connection):
        ledger.write(store.connection)
    store.close()


def used(days_ago: float, **more: Any) -> Line:
    start = int(NOON - days_ago * 86400)
    return replace(USED, start=start, end=start + 60, **more)


def test_what_was_used_without_a_price_is_listed_with_what_to_paste(prices: Run, history: None) -> None:
    status, out, said = prices("--unpriced")
    assert (status, said) == (0, "")
    rows = [line.split() for line in out.splitlines()[2:5]]
    assert rows[0][:3] == ["anthropic", "claude-soon", "1,000,000"]
    assert rows[1] == ["openai", "gpt-new", "42", "2026-11-21", "12:01", "UTC"]
    assert '[model."gpt-new"]\nprovider = "openai"\ninput = "?"' in out
    assert 'output = "?"' in out
    assert "long-ago" not in out
    assert "llama" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert all(line.isprintable() for line in out.splitlines())


def test_unpriced_is_told_to_a_script_as_recorded(prices: Run, history: None) -> None:
    _, out, _ = prices("--unpriced", "--since", "60d", "--json")
    rows = json.loads(out)["rows"]
    assert [each["model"] for each in rows] == ["claude-soon", "gpt-new", "long-ago", EVIL]
    assert rows[1]["tokens"] == {"input": 40, "output": 2}
    assert rows[1]["last"] == "2026-11-21T12:01:00Z"


def test_with_a_price_for_all_it_says_so(prices: Run, history: None) -> None:
    status, out, _ = prices("--unpriced", "--since", "30m")
    assert (status, out) == (0, "since 2026-11-22T11:30:00Z every token that should have a price has one\n")


def test_without_a_history_unpriced_says_so(prices: Run) -> None:
    status, out, said = prices("--unpriced")
    assert (status, out) == (1, "")
    assert "there is no history" in said
