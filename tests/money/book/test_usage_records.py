"""Recorded usage is priced as the price lists agree (tests/payloads/prices/README.md)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from infertop.money.book.load import shipped
from infertop.money.cost import cost
from infertop.money.quote import Way

RECORDS = Path(__file__).parents[2] / "payloads" / "prices" / "usage_records.jsonl"
# Records on which two price lists agree and the book does not, each with the reason. None of these is among the
# records; docs/price_book.md has the differences that are known of others.
DIFFERENCES: dict[str, str] = {}


def records() -> list[dict]:
    return [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]


def test_every_record_on_which_two_price_lists_agree_costs_that():
    different = {}
    for record in records():
        expected = record["expected"]["usd"]
        if expected is None:
            continue
        way = Way(record.get("batch", False), record.get("service_tier", ""))
        at = datetime.fromisoformat(record["at"]).timestamp()
        usd = cost(shipped().quote(record["provider"], record["model"], at, way), record["tokens"]).usd
        if usd is None or float(usd) != pytest.approx(expected, rel=1e-6, abs=0):
            different[record["id"]] = (record["model"], record["at"], usd, expected)
    assert different.keys() == DIFFERENCES.keys(), different


def test_the_records_are_many_and_of_many_models():
    agreed = [record for record in records() if record["expected"]["usd"] is not None]
    assert len(agreed) > 450
    assert len({(record["provider"], record["model"]) for record in agreed}) > 40
    assert {record.get("service_tier") for record in agreed} == {None, "flex", "priority"}
    assert sum(record.get("batch", False) for record in agreed) > 40
