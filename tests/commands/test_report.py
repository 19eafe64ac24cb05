"""`infertop report`, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.commands.report_forms import as_csv, as_json, as_table
from infertop.history.report import Report, Row
from tests.commands.reported import NOON, Run, Said, typed_report
from tests.views.random_views import HOSTILE


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return typed_report(tmp_path, monkeypatch, capsys)


def rows(said: Said) -> list[dict[str, Any]]:
    status, out, _ = said
    assert status == 0
    return list(json.loads(out)["rows"])


def test_json_has_the_keys_asked_for_and_what_is_known(run: Run) -> None:
    status, out, err = run("--format", "json", "--since", "24h")
    assert (status, err) == (0, "")
    said = json.loads(out)
    assert (said["schema"], said["by"]) == (1, ["model"])
    assert (said["since"], said["until"]) == ("2026-09-21T12:00:00Z", "2026-09-22T12:00:00Z")
    assert said["coverage"] == pytest.approx(2 / 1440)
    assert said["rows"] == [
        {"model": "llama", "requests": 4, "tokens": {"output": 500}, "usd": 2.0, "unpriced_tokens": 0, "counts": True},
        {
            "model": "gpt-4o",
            "requests": None,
            "tokens": {"input": 1040},
            "usd": 1.0,
            "unpriced_tokens": 40,
            "counts": True,
        },
        {
            "model": "llama",
            "requests": None,
            "tokens": {"output": 500},
            "usd": None,
            "unpriced_tokens": 0,
            "counts": False,
        },
    ]


def test_dimensions_are_assigned_when_they_are_read(run: Run) -> None:
    found = rows(run("--format", "json", "--by", "team,key"))
    assert [(each["team"], each["key"], each["usd"]) for each in found] == [
        (None, None, 2.0),
        ("support", "prod-1", 1.0),
        (None, None, None),
        (None, "dev", None),
    ]
    assert all(set(each) == {"team", "key", "requests", "tokens", "usd", "unpriced_tokens", "counts"} for each in found)


@pytest.mark.parametrize(
    "by", ["source", "provider", "resource", "basis", "gpu", "customer", "model, model", "", "user"]
)
def test_it_groups_by_whatever_a_line_has(run: Run, by: str) -> None:
    found = rows(run("--format", "json", "--by", by, "--since", "7d"))
    assert sum(each["usd"] or 0 for each in found) == 5.0
    assert sum(sum(each["tokens"].values()) for each in found) == 2040


def test_a_key_that_is_none_names_the_nearest(run: Run) -> None:
    status, out, err = run("--by", "modle,nonsense\x1b[2J")
    assert (status, out) == (2, "")
    first, second = err.splitlines()
    assert first == 'infertop: --by "modle" is nothing to group by; did you mean "model"?'
    assert "known are source, provider, model" in second
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("words", "usd"),
    [
        (("--since", "60m"), 2.0),
        (("--since", "2h"), 3.0),
        (("--since", "7d"), 5.0),
        (("--since", "today"), 3.0),
        (("--since", "month"), 5.0),
        (("--since", "yesterday", "--until", "today"), 0),
        (("--since", "2026-09-20", "--until", "2026-09-21"), 2.0),
        (("--since", "2026-09-22T10:30:00Z", "--until", "2026-09-22T10:31:00Z"), 1.0),
        (("--since", "2026-09-22T12:30:00", "--until", "2026-09-22T12:31"), 1.0),
        (("--since", "2026-09-22T10:31:00Z"), 2.0),
    ],
)
def test_a_span_is_rolling_or_by_the_clock_on_the_wall(run: Run, words: tuple[str, ...], usd: float) -> None:
    assert sum(each["usd"] or 0 for each in rows(run("--format", "json", *words))) == usd


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "lately"), '"lately" is no time that infertop knows; write one of: 90m'),
        (("--since", "today", "--until", "yesterday"), "--until (yesterday) is not after --since (today)"),
        (("--until", "2026-13-01"), "is no time"),
    ],
)
def test_a_span_that_is_none_says_what_would_be(run: Run, words: tuple[str, ...], says: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert says in err


def test_the_table_is_for_a_person(run: Run) -> None:
    status, out, _ = run()
    assert status == 0
    assert out.splitlines() == [
        "2026-09-21T12:00:00Z to 2026-09-22T12:00:00Z, 0.1% of it recorded",
        "MODEL   REQUESTS  INPUT  OUTPUT     USD",
        "llama          4      -     500  2.0000",
        "gpt-4o         -  1,040       -  1.0000",
        "llama          -      -     500       -  *",
        "40 tokens have no price and are in no sum of dollars",
        "* counted by another source, or set not to count: part of no total",
    ]


def test_csv_is_for_a_spreadsheet_and_nothing_in_it_runs(run: Run) -> None:
    status, out, _ = run("--format", "csv", "--by", "customer")
    assert status == 0
    assert out.splitlines()[0] == "customer,requests,input,output,usd,unpriced_tokens,counts"
    assert "'=HYPERLINK(1),,1000,,1.000000000,0,true" in out.splitlines()


def test_without_a_history_it_says_what_makes_one(run: Run, tmp_path: Path) -> None:
    status, out, err = run("--db", str(tmp_path / "none.db"))
    assert (status, out) == (1, "")
    assert "infertop record makes one" in err
    (tmp_path / "no.db").write_bytes(b"not a database" * 100)
    status, out, err = run("--db", str(tmp_path / "no.db"))
    assert (status, out) == (2, "")
    assert "no.db is no database, not a history of infertop" in err


def test_a_mistake_in_pricing_toml_ends_with_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pricing.toml").write_text("[[budget]]\nlimit = 2\n")
    status, out, err = run()
    assert (status, out) == (2, "")
    assert 'unknown key "limit" in budget[0]; did you mean "limit_usd"?' in err


def test_the_share_that_was_recorded(run: Run) -> None:
    for since, share in (("90m", 2 / 90), ("60m", 1 / 60), ("10m", 0.0)):
        assert json.loads(run("--format", "json", "--since", since)[1])["coverage"] == pytest.approx(share)
    assert "nothing of it recorded" in run("--since", "10m")[1]


names = st.one_of(st.none(), st.sampled_from(HOSTILE), st.text(max_size=20), st.text("=+-@＝ \t\r'\"", max_size=4))
some_rows = st.builds(
    Row,
    st.fixed_dictionaries({"model": names, "team": names}),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 10**12)),
    st.dictionaries(st.sampled_from(["input", "output", "cache_read"]), st.integers(0, 10**15)),
    st.one_of(st.none(), st.integers(-(10**15), 10**15)),
    st.integers(0, 10**9),
    st.booleans(),
)


@given(st.lists(some_rows, max_size=4))
def test_whatever_names_there_are_no_form_breaks(found: list[Row]) -> None:
    made = Report(NOON, NOON + 60, ("model", "team"), 0.5, tuple(found))
    assert [each["model"] for each in json.loads(as_json(made))["rows"]] == [each.keys["model"] for each in found]
    read = list(csv.reader(io.StringIO(as_csv(made))))
    assert len(read) == len(found) + 1
    for cell in (cell for row in read[1:] for cell in row[:2]):
        assert not cell.strip().startswith(("=", "+", "-", "@", "＝"))
        assert cell.isprintable()
    lines = as_table(made).splitlines()
    assert len(lines) >= len(found) + 2
    assert all(line.isprintable() for line in lines)


def test_the_share_of_the_dollars_that_nobody_is_given_is_told_where_it_is_asked(run: Run) -> None:
    found = json.loads(run("--by", "team", "--since", "24h", "--format", "json")[1])
    counted = {row["team"]: row["usd"] for row in found["rows"] if row["counts"] and row["usd"]}
    assert found["unassigned"] == {"team": pytest.approx(counted[None] / sum(counted.values()))}
    assert 0 < found["unassigned"]["team"] < 1
    assert "66.7% of the dollars are given to no team" in run("--by", "team", "--since", "24h")[1]
    assert json.loads(run("--by", "model", "--since", "24h", "--format", "json")[1])["unassigned"] == {}
