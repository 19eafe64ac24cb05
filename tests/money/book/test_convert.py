"""The shipped snapshot is what the script makes of the package."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from infertop.money.book.check import parse_text
from infertop.money.book.convert import convert
from infertop.money.book.load import shipped
from tests.money.book import reference

ROOT = Path(__file__).parents[3]


def made(*models: SimpleNamespace) -> list[dict]:
    provider = SimpleNamespace(
        id="acme", name="Acme", provider_match=None, model_match=None, fallback_model_providers=None, models=models
    )
    return parse_text(convert([provider], "1.0", "2026-11-22").encode())["providers"][0]["models"]


def model(**fields: object) -> SimpleNamespace:
    plain = {"id": "m", "name": None, "context_window": None, "match": SimpleNamespace(equals="m"), "prices": []}
    return SimpleNamespace(**plain | {"price_variants": None, "price_comments": None} | fields)


def test_the_shipped_snapshot_is_what_the_script_makes_of_the_installed_package(tmp_path):
    out = tmp_path / "prices.json"
    script = [sys.executable, str(ROOT / "scripts" / "make_price_book.py"), "--date", shipped().date, "--out", str(out)]
    subprocess.run(script, check=True, timeout=60, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert out.read_bytes() == (ROOT / "infertop" / "money" / "data" / "prices.json").read_bytes()


def test_one_line_has_one_model():
    text = convert(reference.PROVIDERS, "0.2.3", "2026-11-10")
    lines = [line for line in text.splitlines() if line.startswith('{"id"') and '"models":[' not in line]
    assert len(lines) == sum(len(each.models) for each in reference.PROVIDERS)


def test_prices_keep_their_digits_and_need_no_exponent():
    usd = {"input_mtok": Decimal("0.00000002500"), "output_mtok": Decimal("1E+3"), "cache_read_mtok": None}
    assert made(model(prices=SimpleNamespace(**usd)))[0]["usd"] == {"input": "0.000000025", "output": 1000}


def test_rows_since_a_date_and_in_hours_are_told_apart():
    rows = [
        SimpleNamespace(constraint=None, prices=SimpleNamespace(input_mtok=Decimal(1))),
        SimpleNamespace(
            constraint=SimpleNamespace(start_date=date(2026, 5, 1)), prices=SimpleNamespace(input_mtok=Decimal(2))
        ),
        SimpleNamespace(
            constraint=SimpleNamespace(start_time=time(16, 30), end_time=time(0, 30)),
            prices=SimpleNamespace(input_mtok=Decimal(3)),
        ),
    ]
    assert made(model(prices=rows))[0]["prices"] == [
        {"usd": {"input": 1}},
        {"from": "2026-05-01", "usd": {"input": 2}},
        {"daily": "16:30-00:30", "usd": {"input": 3}},
    ]


def test_hours_that_the_book_cannot_say_are_refused():
    for start in (time(16, 30, 1), time(16, 30, tzinfo=timezone(timedelta(hours=8)))):
        row = SimpleNamespace(
            constraint=SimpleNamespace(start_time=start, end_time=time(0, 30)),
            prices=SimpleNamespace(input_mtok=Decimal(1)),
        )
        with pytest.raises(ValueError, match="is not a whole minute in UTC"):
            made(model(prices=[row, row]))


def test_a_model_is_free_where_its_name_or_the_lists_comment_says_so_and_else_unpriced():
    free = made(
        model(id="x:free"),
        model(id="gemma", price_comments="Free of charge on this API."),
        model(id="moderation"),
        model(id="priced:free", prices=SimpleNamespace(input_mtok=Decimal(1))),
    )
    assert [each.get("free", False) for each in free] == [True, True, False, False]
    assert not any({"usd", "prices"} & each.keys() for each in free[:3])


def test_variants_without_a_price_of_their_own_are_left_out():
    variants = [
        SimpleNamespace(when={"service_tier": "default"}, constraint=None, prices=SimpleNamespace()),
        SimpleNamespace(
            when={"processing": "batch"}, constraint=None, prices=SimpleNamespace(input_mtok=Decimal("0.5"))
        ),
    ]
    prices = SimpleNamespace(input_mtok=Decimal(1), input_video_mtok=Decimal(9))
    assert made(model(prices=prices, price_variants=variants))[0]["variants"] == [
        {"when": {"processing": "batch"}, "usd": {"input": "0.5"}}
    ]
