"""Deployments through the real program: in the reading, in the ledger, in budgets and in a report."""

import json
import signal
import sqlite3

import jsonschema
import pytest

from tests.acceptance.program import Program, stop
from tests.acceptance.replayed import recording, replaying

PAGES = recording("vllm/0.32.0.jsonl.gz", stride=6)[4:]
PRICING = """
[[budget]]
name = "azure"
limit_usd = 0.001
period = "day"
provider = "azure"
[[budget]]
name = "everything"
limit_usd = 1000
period = "day"
[[deployment]]
name = "reserved"
kind = "provisioned"
provider = "azure"
model = "tiny-llama"
source = "chat"
usd_per_hour = 3600
tokens_per_minute = 100000
[model."tiny-llama"]
provider = "azure"
input = 1
cache_read = 0.5
output = 4
[[deployment]]
name = "many"
kind = "provisioned"
provider = "google"
model = "gemini-*"
usd_per_month = 730
tokens_per_minute = 1000
[[deployment]]
name = "beside"
kind = "provisioned"
provider = "aws"
model = "*"
counts = false
usd_per_hour = 7
input_tokens_per_minute = 1000
output_tokens_per_minute = 1000
[[deployment]]
name = "flex"
kind = "serverless"
provider = "runpod"
model = "llama-3-70b"
usd_per_second = 0.00116
seconds_per_request = 2
requests_per_hour = 100
gpu = "H100"
[[deployment]]
name = "nightly"
kind = "batch"
provider = "openai"
model = "gpt-4o"
requests = 1000
input_tokens = 1000
output_tokens = 500
every = "day"
"""


@pytest.fixture
def priced(infertop: Program) -> Program:
    (infertop.folder / "prices.toml").write_text(PRICING)
    infertop.read = (*infertop.read, "--pricing", "prices.toml")
    return infertop


def test_one_reading_shows_all_kinds_and_spends_what_is_reserved(priced: Program) -> None:
    schema = json.loads(priced.run("schema").stdout)
    with replaying(PAGES) as server:
        reading = priced.once("--source", f"chat=vllm={server.url}")
    jsonschema.validate(reading, schema)
    rows = {row["name"]: row for row in reading["deployments"]}
    assert list(rows) == ["reserved", "many", "beside", "flex", "nightly"]
    assert reading["usd_per_hour"]["api"] == reading["usd_per_hour"]["total"] == 3601.0
    reserved = rows["reserved"]
    assert (reserved["traffic"], reserved["counts"], reserved["price_source"]) == ("measured", True, "prices.toml:17")
    rates = next(row["tokens_per_second"] for row in reading["models"] if row["source"] == "chat")
    assert reserved["utilization"] == pytest.approx(sum(rates.values()) * 60 / 100_000, rel=1e-6)
    by_token = (rates["input"] * 1 + rates["cache_read"] * 0.5 + rates["output"] * 4) * 3600 / 1e6
    assert reserved["break_even_utilization"] == pytest.approx(3600 * reserved["utilization"] / by_token, rel=1e-6)
    assert [rows[name]["utilization"] for name in ("many", "beside")] == [None, None]
    assert rows["flex"]["usd_per_hour"] == pytest.approx(0.232)
    assert rows["flex"]["utilization"] == pytest.approx(200 / 3600)
    assert rows["nightly"]["verdict"].endswith("at openai: saves 50 %")
    assert {budget["name"]: budget["burn_usd_per_hour"] for budget in reading["budgets"]} == {
        "azure": 3600.0,
        "everything": 3601.0,
    }


def test_the_text_of_a_reading_has_a_line_for_each(priced: Program) -> None:
    done = priced.run("--once", *priced.read, "--interval", "0.3")
    assert done.returncode == 0, done.stderr
    assert "api 3601.00" in done.stdout
    lines = [line.split()[:2] for line in done.stdout.splitlines()]
    assert ["flex", "serverless"] in lines
    assert ["nightly", "batch"] in lines


def test_a_recording_spends_by_the_time_and_goes_on_after_a_restart(priced: Program) -> None:
    for _ in range(2):
        done = priced.run("record", *priced.read, "--for", "3")
        assert done.returncode == 0, done.stderr
    with sqlite3.connect(priced.database) as opened:
        spent = opened.execute(
            """SELECT source, provider, model, unit, basis, sum(quantity), sum(usd_nano) FROM lines
            JOIN accounts ON accounts.id = account WHERE resource = 'deployment' GROUP BY 1, 2, 3, 4, 5"""
        ).fetchall()
        (metered,) = opened.execute(
            "SELECT sum(quantity) FROM lines JOIN accounts ON accounts.id = account WHERE resource = 'host'"
        ).fetchone()
    opened.close()
    many, reserved = sorted(spent)
    assert many[:5] == ("many", "google", None, "ms", "computed")
    assert reserved[:5] == ("reserved", "azure", "tiny-llama", "ms", "computed")
    # What the machine's meter recorded, and nothing of the time between the two runs.
    assert many[5] == reserved[5] == metered >= 4000
    # 3600 USD an hour are 1e6 nano-USD a millisecond.
    assert reserved[6] == metered * 1_000_000
    assert abs(many[6] - metered * 1_000_000 / 3600) <= 2
    by_source = {row["source"]: row for row in priced.report("--by", "source", "--pricing", "prices.toml")}
    assert by_source["reserved"]["usd"] == pytest.approx(reserved[6] / 1e9)
    assert by_source["reserved"]["tokens"] == {}
    over = priced.run("report", "--pricing", "prices.toml", "--budget-exit", "--format", "json")
    assert over.returncode == 3
    assert "the budget azure is over" in over.stderr


def spent(infertop: Program) -> dict[str, tuple[int, int]]:
    """Milliseconds and nano-USD of each deployment in the ledger."""
    with sqlite3.connect(infertop.database) as opened:
        rows = opened.execute(
            """SELECT source, sum(quantity), sum(usd_nano) FROM lines JOIN accounts ON accounts.id = account
            WHERE resource = 'deployment' GROUP BY source"""
        ).fetchall()
    opened.close()
    return {source: (ms, nano) for source, ms, nano in rows}


def test_an_edit_with_a_date_prices_what_was_recorded_and_one_without_does_not(priced: Program) -> None:
    prices = priced.folder / "prices.toml"
    assert priced.run("record", *priced.read, "--for", "2.5").returncode == 0
    before = spent(priced)
    undated = PRICING.replace("usd_per_hour = 3600", "usd_per_hour = 7200")
    dated = undated.replace('name = "reserved"', 'name = "reserved"\nfrom = 2020-01-01')
    for text, factor in ((undated, 1), (dated, 2)):
        prices.write_text(text)
        assert priced.run("--once", *priced.read, "--interval", "0.3").returncode == 0
        found = spent(priced)
        ms, nano = found["reserved"]
        since = (ms - before["reserved"][0]) * 2
        assert nano == (before["reserved"][0] * factor + since) * 1_000_000
        assert found["many"][0] == ms


def test_a_mistake_ends_the_program_with_its_line(priced: Program) -> None:
    (priced.folder / "prices.toml").write_text('[[deployment]]\nname = "x"\nkind = "reserved"\nmodel = "m"\n')
    done = priced.run("--once", *priced.read)
    assert done.returncode == 2
    assert "prices.toml:3: deployment[0].kind must be one of provisioned, serverless, batch" in done.stderr


def test_a_recording_that_is_stopped_keeps_what_was_spent(priced: Program) -> None:
    with replaying(PAGES) as server:
        process = priced.record("--source", f"chat=vllm={server.url}")
        server.wait_until_ended(process)
        assert stop(process, signal.SIGTERM)[0] == 0
    rows = {row["model"]: row for row in priced.report("--by", "model")}
    # What the meter of one's own engine counted, and the hours of the deployment that serves it, are one model's.
    assert rows["tiny-llama"]["usd"] > 0
    assert rows["tiny-llama"]["requests"] > 0
