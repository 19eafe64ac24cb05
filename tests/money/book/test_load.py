"""A refreshed snapshot is used where it is newer, and ignored with a reason where it is broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infertop.money.book import load
from infertop.money.book.check import LARGEST, parse_snapshot
from infertop.money.book.load import FILE, newest, shipped, trouble

SHIPPED = Path(load.__file__).parent.parent / "data" / FILE
AT = 1_795_000_000.0


def small(version: str = "99.0", **changes: object) -> dict:
    model = {"id": "only", "match": ["=only", "~^on"], "usd": {"input": [1, 200000, "2.5"]}, "context": 1000}
    provider = {"id": "acme", "name": "Acme", "called": "*acme", "models": [model | changes]}
    return {"format": 1, "version": version, "date": "2027-01-01", "providers": [provider]}


def put(folder: Path, data: object) -> Path:
    (folder / FILE).write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return folder


def test_the_shipped_snapshot_is_sound_and_its_clauses_and_prices_can_all_be_read():
    content = SHIPPED.read_bytes()
    assert len(content) <= 450_000
    assert parse_snapshot(content)["version"] == shipped().version == "0.2.3"
    assert shipped().date == "2026-11-10"
    assert shipped().name == "snapshot 2026-11-10"


def test_a_newer_snapshot_is_used(tmp_path):
    put(tmp_path, small())
    assert newest(tmp_path).name == "snapshot 2027-01-01"
    assert newest(tmp_path).quote("acme", "only", AT).prices["input"].usd == 1
    assert trouble(tmp_path) == ""


@pytest.mark.parametrize("version", ["0.2.3", "0.2.2", "0.1.99"])
def test_a_snapshot_that_is_not_newer_is_not_used(tmp_path, version):
    assert newest(put(tmp_path, small(version))) is shipped()
    assert trouble(tmp_path) == ""


def test_without_a_folder_or_a_file_the_shipped_one_is_used(tmp_path):
    assert newest(None) is newest(tmp_path) is newest(tmp_path / "nowhere") is shipped()
    assert trouble(None) == trouble(tmp_path) == ""


def test_a_change_of_the_file_is_seen(tmp_path):
    assert newest(put(tmp_path, small())).version == "99.0"
    assert newest(put(tmp_path, small("100.0.1"))).version == "100.0.1"


BROKEN = {
    "cut short": json.dumps(small())[:-20].encode(),
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "a list": [1],
    "another format": small() | {"format": 2},
    "no version": small("newest"),
    "a version without end": small("1" * 5_000),
    "no date": small() | {"date": 20270101},
    "a day that is none": small() | {"date": "2027-13-01"},
    "no providers": small() | {"providers": None},
    "a provider twice": small() | {"providers": small()["providers"] * 2},
    "deep": b"[" * 100_000,
    "a huge number": b'{"format": ' + b"9" * 10_000 + b"}",
    "too large": b" " * (LARGEST + 1),
    "no id": small(id=""),
    "a long id": small(id="x" * 600),
    "a name that is none": small(name=["x"]),
    "a negative price": small(usd={"input": -1}),
    "a price that is none": small(usd={"input": "NaN"}),
    "a price that is true": small(usd={"input": True}),
    "a price in letters": small(usd={"input": "1e999999"}),
    "a price table": small(usd={"input": {"usd": 1}}),
    "tiers that fall": small(usd={"input": [1, 200, 2, 100, 3]}),
    "half a tier": small(usd={"input": [1, 200]}),
    "no row": small(usd=3),
    "too many rows": small(variants=[{"when": {"a": "b"}, "usd": {"input": 1}}] * 1_000),
    "a date that is none": small(variants=[{"when": {"a": "b"}, "from": "2026-13-45", "usd": {"input": 1}}]),
    "a time that is none": small(variants=[{"when": {"a": "b"}, "daily": "25:00-01:00", "usd": {"input": 1}}]),
    "a variant for nothing": small(variants=[{"when": {}, "usd": {"input": 1}}]),
    "no clause": small(match=[]),
    "an unknown clause": small(match="?only"),
    "a pattern that could run away": small(match="~(a+)+$"),
    "many repetitions": small(match="~a*a*a*b"),
    "many bounded repetitions": small(match="~^" + "a{0,60}" * 8 + "b"),
    "many optional parts": small(match="~^" + "a?" * 24 + "a" * 24 + "$"),
    "many alternatives": small(match="~" + "(a|a)" * 22 + "b"),
    "repetitions behind a comment": small(match="~(?#[)a*a*a*a*b(?#])"),
    "a number of repetitions beyond all": small(match="~a{99999999999}"),
    "a long pattern": small(match="~" + "a" * 500),
    "no pattern": small(match="~["),
    "nested clauses": small(match={"all": [{"all": [{"all": [{"all": [{"all": ["=a"]}]}]}]}]}),
    "a minimum that is none": small(minimum={"audio_seconds": "ten"}),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_snapshot_is_ignored_with_a_reason_and_what_to_do(tmp_path, data):
    put(tmp_path, data)
    assert newest(tmp_path) is shipped()
    assert trouble(tmp_path).startswith(f"{tmp_path / FILE}: these refreshed prices are ignored, because ")
    assert "infertop prices --refresh" in trouble(tmp_path)
    assert len(trouble(tmp_path)) < len(str(tmp_path)) + 500


def test_what_is_no_file_is_ignored_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / FILE)
    assert newest(tmp_path) is shipped()
    assert "it is no file" in trouble(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.sampled_from(["id", "name", "match", "usd", "prices", "variants", "context", "free", "note", "minimum"])


@given(st.dictionaries(KEYS, JSON, max_size=3))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_change_of_an_entry_is_refused_or_can_be_quoted(changes):
    try:
        data = parse_snapshot(json.dumps(small(**changes)).encode())
    except ValueError:
        return
    listing = load.Listing(data, b"")
    listing.search("only")
    for name in ("only", "online", "x"):
        listing.quote("acme", name, AT)
