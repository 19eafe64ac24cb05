"""A gateway in front of an engine and of a provider that nobody reads: all is in totals once, wherever one looks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from infertop import cli
from infertop.commands.book import book_of
from infertop.commands.choosing import one_name
from infertop.commands.exporter_access import Access
from infertop.commands.exporter_page import Pages
from infertop.commands.session import Session
from infertop.engine.serve import Request
from infertop.history.reader import Reader
from infertop.money.settings import Settings
from infertop.readings.model import Batch, Series, Statement
from infertop.views.once import reading
from infertop.views.overview import overview
from infertop.views.plain import plain
from infertop.views.shapes import SourceRow
from tests.commands.runs import Meters, session, setup
from tests.commands.test_session import BEGIN, poll, settle
from tests.fakes import FakeClock
from tests.money.tape import LLAMA, VLLM, engine, host

PROXY = "litellm@127.0.0.1:4000"
PRICING = f"""
[host]
usd_per_hour = 7.20
[[budget]]
name = "all"
limit_usd = 1000
period = "day"
[[budget]]
name = "search"
limit_usd = 1000
period = "day"
team = "search"
[[source]]
kind = "vllm"
name = "{VLLM}"
url = "http://127.0.0.1:8000"
[[source]]
kind = "litellm"
url = "http://127.0.0.1:4000"
interval = 1
"""
SEEN_PER_SECOND = {(LLAMA, "hosted_vllm"): 3_000_000, ("gpt-4o", "openai"): 10_000_000}  # 1e-9 USD


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters(monkeypatch)
    made.says[VLLM] = lambda ts: engine(
        ts, source=VLLM, output_tokens=100 * (ts - BEGIN), requests=ts - BEGIN, started=1.0
    )
    made.says[PROXY] = passed_on
    made.says["host"] = host
    return made


def passed_on(ts: float) -> Batch:
    """What a gateway says: who used what in this minute, whole."""
    seconds = ts - BEGIN
    start = max(ts - 1, BEGIN) // 60 * 60
    series = [Series.of("output_tokens", model=model, provider=provider) for model, provider in SEEN_PER_SECOND]
    said = [
        Statement(
            PROXY,
            f"{start:.0f} {model}",
            start,
            ts,
            provider,
            model,
            {"team": "search"},
            {"output": int(100 * (ts - start))},
            int(ts - start),
            int(usd * (ts - start)),
            "computed",
        )
        for (model, provider), usd in SEEN_PER_SECOND.items()
    ]
    return Batch(
        PROXY, ts, tuple(series), tuple(100 * seconds for _ in series), statements=tuple(said) if ts > start else ()
    )


def shown(run: Session) -> dict[str, tuple[bool, str]]:
    """What counts, and who else counts it, by model and source."""
    return {f"{row.model} {row.source}": (row.counts, row.counted_by) for row in overview(run.facts()).models}


def proxy_row(run: Session) -> SourceRow:
    return next(row for row in overview(run.facts()).sources if row.name == PROXY)


ONCE = {
    f"{LLAMA} {VLLM}": (True, ""),
    f"{LLAMA} {PROXY}": (False, VLLM),
    f"gpt-4o {PROXY}": (True, ""),
}
HOST_USD, OPENAI_USD, SHADOW_USD = 7.20 * 240 / 3600, 0.01 * 240, 0.003 * 240  # in the first four minutes


@pytest.mark.parametrize(
    ("said", "meant"), [("fireworks_ai", "fireworks"), ("XAI", "x-ai"), ("vertex_ai", "google"), ("mine", "mine")]
)
def test_a_provider_has_one_name_whoever_tells_of_it(said: str, meant: str) -> None:
    assert one_name(book_of(Settings()), said) == meant


async def test_engine_and_gateway_are_in_every_total_once(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    made = setup(pricing, clock)
    async with session(made, memory=False) as run:
        await poll(run, clock, 240)
        assert shown(run) == ONCE
        assert proxy_row(run).note == f"attributes in part: {VLLM} counts the same requests"
        assert proxy_row(run).counts
        view = overview(run.facts())
        assert view.headline.tokens_per_second == pytest.approx(200, rel=0.02)
        assert view.headline.today_usd == pytest.approx(HOST_USD + OPENAI_USD, abs=0.01)
        assert {row.name: row.spent_usd for row in view.budgets} == {
            "all": pytest.approx(HOST_USD + OPENAI_USD, abs=0.01),
            "search": pytest.approx(OPENAI_USD),
        }
        tokens = dict(view.tokens_history.layers)["output"]
        assert [each for each in tokens[1:] if each] == pytest.approx([200.0] * len(tokens[1:]), rel=0.05)
        assert sum(usd or 0 for _, layer in view.cost_history.layers for usd in layer[1:2]) == pytest.approx(
            43.2, rel=0.01
        )
        reader = Reader(made.database)
        usual = [each.usd_nano for each in reader.minutes(BEGIN, BEGIN + 240, run.choosing.counts)]
        reader.close()
        assert usual == [each.usd_nano for each in run.summary.minutes if each.start < BEGIN + 240]
        assert usual[1] == pytest.approx((7.2 / 60 + 0.6) * 1e9, rel=0.01)
        async with session(setup(pricing, clock), memory=False) as viewing:
            assert shown(viewing) == ONCE
            seen = overview(viewing.facts())
            assert seen.headline.today_usd == view.headline.today_usd
            assert [row.spent_usd for row in seen.budgets] == [row.spent_usd for row in view.budgets]


async def test_json_and_text_say_what_is_in_no_total(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await poll(run, clock, 130)
        data = reading(overview(run.facts()))
        assert {(m["model"], m["source"], m["provider"]): (m["counts"], m["counted_by"]) for m in data["models"]} == {
            (LLAMA, VLLM, "local"): (True, None),
            (LLAMA, PROXY, "hosted_vllm"): (False, VLLM),
            ("gpt-4o", PROXY, "openai"): (True, None),
        }
        assert [each["note"] for each in data["sources"] if each["name"] == PROXY] == [proxy_row(run).note]
        text = plain(overview(run.facts()))
        assert f"{PROXY} *" in text
        assert "* counted by another source, or set not to count: part of no total" in text


async def test_a_report_of_a_finished_run_says_the_same_also_when_the_gateway_is_read_no_more(
    pricing: Path, meters: Meters, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(BEGIN)
    made = setup(pricing, clock)
    async with session(made, memory=False) as run:
        await poll(run, clock, 240)
    pricing.write_text(PRICING[: PRICING.rindex("[[source]]")])
    async with session(made, memory=False) as run:
        await settle(run)
    asked = [
        "report",
        "--db",
        str(made.database),
        "--pricing",
        str(pricing),
        "--format",
        "json",
        "--by",
        "source,model",
    ]
    assert cli.main([*asked, "--since", "2020-01-01T00:00:00Z"]) == 0
    rows = {(row["source"], row["model"]): row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert {key: row["counts"] for key, row in rows.items() if key[1]} == {
        (VLLM, LLAMA): True,
        (PROXY, LLAMA): False,
        (PROXY, "gpt-4o"): True,
    }
    assert rows[PROXY, LLAMA]["usd"] == pytest.approx(SHADOW_USD)
    assert rows[PROXY, "gpt-4o"]["tokens"] == {"output": 24_000}


@pytest.mark.parametrize(
    ("said", "apart", "note"),
    [
        ("counts = false", {LLAMA, "gpt-4o"}, f"attributes only: {VLLM} counts the same requests"),
        ("counts = true", set(), f"counts = true, though {VLLM} counts the same requests"),
    ],
)
async def test_what_is_set_in_source_stands(
    pricing: Path, meters: Meters, said: str, apart: set[str], note: str
) -> None:
    clock = FakeClock(BEGIN)
    pricing.write_text(PRICING + said + "\n")
    async with session(setup(pricing, clock), memory=False) as run:
        await poll(run, clock, 130)
        rows = [row for row in overview(run.facts()).models if row.source == PROXY]
        assert {row.model for row in rows if not row.counts} == apart
        assert proxy_row(run).note == note
        assert proxy_row(run).counts is (not apart)


async def test_the_exporter_counts_once_and_attributes_the_rest(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await poll(run, clock, 240)
        pages = Pages(Access.of("127.0.0.1:9109", None))
        await pages.follow(run)
        body = (await pages.answer(Request("GET", "/metrics", {"host": "localhost"}))).body.decode()
        await pages.follow(None)
        spent = [line for line in body.splitlines() if line.startswith("infertop_cost_usd_total{")]
        assert [PROXY in line for line in spent if "gpt-4o" in line] == [True]
        assert not [line for line in spent if PROXY in line and LLAMA in line]
        attributed = [line for line in body.splitlines() if line.startswith("infertop_attributed_cost_usd_total{")]
        assert [LLAMA in line for line in attributed] == [True]


async def test_until_it_is_known_who_else_counts_a_gateway_is_in_no_total(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.polling.poll_once_all(1)
        clock.jump(1)
        await run.polling.poll_once_all(1)
        assert {row.model for row in overview(run.facts()).models if row.source == PROXY and row.counts} == set()


async def test_a_run_ends_as_it_should_also_where_who_counts_is_due_to_be_looked_at(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await poll(run, clock, 10)
        clock.jump(60)
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
