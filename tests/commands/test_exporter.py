"""`infertop exporter`: who may read, in which form, and whose figures."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from infertop.commands import exporter, exporter_page
from infertop.commands.exporter_access import Access
from infertop.commands.exporter_page import Pages, content_type
from infertop.commands.session import Session
from infertop.commands.sources import WrongUseError
from infertop.engine.clock import SystemClock
from infertop.engine.serve import Refused, Request
from infertop.history.open import Mode
from infertop.views.exposition import OPENMETRICS, TEXT
from tests.commands.runs import Meters, session, setup
from tests.commands.test_session import BEGIN, PRICING, host, poll, served, settle
from tests.fakes import FakeClock
from tests.money.tape import LLAMA, VLLM, Gpu, nvml

TOKEN = "sesame-0123456789"


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters(monkeypatch)
    made.says["nvml"] = lambda ts: nvml(ts, Gpu(utilization=0.5))
    made.says["host"] = host
    made.says[VLLM] = lambda ts: served(VLLM, ts)
    return made


@pytest.fixture
def pricing(tmp_path: Path) -> Path:
    path = tmp_path / "pricing.toml"
    path.write_text(PRICING[: PRICING.rindex("[[source]]")])
    return path


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("listen", "place"),
    [
        ("127.0.0.1:9109", ("127.0.0.1", 9109)),
        ("127.8.0.1:0", ("127.8.0.1", 0)),
        ("localhost:80", ("localhost", 80)),
        ("[::1]:9109", ("::1", 9109)),
    ],
)
def test_on_this_machine_alone_no_token_is_needed(listen: str, place: tuple[str, int]) -> None:
    access = Access.of(listen, None)
    assert (access.host, access.port) == place


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:9109", ":9109", "[::]:9109", "10.0.0.5:9109", "box:9109", "localhost.evil:1"]
)
def test_what_others_can_reach_needs_a_token(listen: str, token: Path) -> None:
    with pytest.raises(WrongUseError, match=r"can be reached from other machines.*--token-file"):
        Access.of(listen, None)
    assert Access.of(listen, token).token is not None


@pytest.mark.parametrize(
    "listen", ["", "9109", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:9109", "a b:1", "http://a:1", "a@b:1"]
)
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(WrongUseError, match="must be HOST:PORT"):
        Access.of(listen, None)


@pytest.mark.parametrize(
    ("mode", "text", "why"),
    [(0o640, TOKEN, "chmod 600"), (0o604, TOKEN, "chmod 600"), (0o600, " \n", "is empty"), (0o600, "a b", "one line")],
)
def test_a_token_that_others_can_read_or_that_is_none_is_refused(token: Path, mode: int, text: str, why: str) -> None:
    token.write_text(text)
    token.chmod(mode)
    with pytest.raises(WrongUseError, match=why):
        Access.of("127.0.0.1:9109", token)


@pytest.mark.parametrize(
    "given", ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", "Bearer \xff\xfe", f"Bearer{TOKEN}"]
)
def test_without_the_token_there_is_nothing_to_read(token: Path, given: str) -> None:
    with pytest.raises(Refused) as refused:
        Access.of("127.0.0.1:9109", token).check({"authorization": given, "host": "localhost"})
    assert refused.value.response.status is HTTPStatus.UNAUTHORIZED
    assert refused.value.response.headers == {"WWW-Authenticate": "Bearer"}
    assert TOKEN.encode() not in refused.value.response.body


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_token_any_name_will_do(token: Path, scheme: str) -> None:
    Access.of("0.0.0.0:9109", token).check({"authorization": f"{scheme} {TOKEN}", "host": "box.example"})


@pytest.mark.parametrize(
    "name", ["localhost", "localhost:9109", "127.0.0.1:9109", "[::1]:9109", "[::1]", "LOCALHOST:1"]
)
def test_without_a_token_it_is_asked_by_address_or_as_localhost(name: str) -> None:
    Access.of("127.0.0.1:9109", None).check({"host": name})
    Access.of("127.0.0.1:9109", None).check({})


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:9109", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_a_name_that_was_made_to_point_here_reads_nothing(name: str) -> None:
    with pytest.raises(Refused) as refused:
        Access.of("127.0.0.1:9109", None).check({"host": name})
    assert refused.value.response.status is HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", OPENMETRICS),
        ("*/*", OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("text/plain", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0", OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.3, text/plain;version=0.0.4;q=0.9", TEXT),
        ("text/plain, application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text;q=0, text/plain;q=0.1", TEXT),
        ("TEXT/PLAIN; Q=1.0", TEXT),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OPENMETRICS,
        ),
        (";;q=,,=;q=nan", OPENMETRICS),
    ],
)
def test_the_form_is_the_one_that_is_asked_for(accept: str, form: str) -> None:
    assert content_type(accept) == form


async def figures(pages: Pages) -> dict[str, float]:
    """The samples of the page by name and model; those without a model by name."""
    response = await pages.answer(Request("GET", "/metrics", {}))
    return {
        " ".join(filter(None, (each.name, each.labels.get("model"), each.labels.get("class")))): each.value
        for family in text_string_to_metric_families(response.body.decode())
        for each in family.samples
    }


async def test_before_anything_is_known_it_says_so() -> None:
    with pytest.raises(Refused) as refused:
        await Pages(Access("127.0.0.1", 0)).answer(Request("GET", "/metrics", {}))
    assert refused.value.response.status is HTTPStatus.SERVICE_UNAVAILABLE


async def test_the_recorder_and_whoever_looks_on_serve_the_same_figures(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    made = setup(pricing, clock)
    async with session(made, memory=False) as recording:
        await poll(recording, clock, 130)
        own, beside = Pages(Access("127.0.0.1", 0)), Pages(Access("127.0.0.1", 0))
        await own.follow(recording)
        told = await figures(own)
        assert told["infertop_total_usd_per_hour"] == 10.8
        assert told[f"infertop_usd_per_hour {LLAMA}"] == 7.2
        assert told["infertop_unheld_usd_per_hour"] == 3.6
        assert told[f"infertop_tokens_total {LLAMA} output"] == 100 * 118
        assert told[f"infertop_cost_usd_total {LLAMA}"] > 0
        assert told["infertop_recording"] == 1
        async with session(setup(pricing, clock), memory=False) as viewing:
            assert viewing.store.mode is Mode.VIEWER
            await viewing.tick()
            await beside.follow(viewing)
            assert await figures(beside) == told
            await beside.follow(None)
        await own.follow(None)


async def test_counters_go_on_after_a_restart_and_stand_still_in_a_repricing(
    pricing: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter_page, "_FRESH_SECONDS", 0.0)
    clock = FakeClock(BEGIN)
    made = setup(pricing, clock)
    name = f"infertop_cost_usd_total {LLAMA}"
    async with session(made, memory=False) as first:
        await poll(first, clock, 130)
        pages = Pages(Access("127.0.0.1", 0))
        await pages.follow(first)
        before = await figures(pages)
        await pages.follow(None)
    async with session(setup(pricing, clock), memory=False) as second:
        again = Pages(Access("127.0.0.1", 0))
        await again.follow(second)
        await settle(second)
        after = await figures(again)
        assert after[name] >= before[name] > 0
        pricing.write_text("[host]\nusd_per_hour = 0.72\nfrom = 2020-01-01\n")
        clock.jump(1)
        await settle(second)
        lowered = Pages(Access("127.0.0.1", 0))
        await lowered.follow(second)
        assert (await figures(lowered))[name] == pytest.approx(after[name] / 10, rel=1e-6)
        assert (await figures(again))[name] == after[name]
        await again.follow(None)
        await lowered.follow(None)


async def test_where_the_recorder_is_gone_the_exporter_records(
    pricing: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "PATIENCE_SECONDS", 0.0)
    clock = SystemClock()
    pages, stop = Pages(Access("127.0.0.1", 0)), asyncio.Event()
    seen: asyncio.Queue[Mode] = asyncio.Queue()
    follow = pages.follow

    async def noted(opened: Session | None) -> None:
        await follow(opened)
        if opened is not None:
            seen.put_nowait(opened.store.mode)

    monkeypatch.setattr(pages, "follow", noted)
    async with asyncio.timeout(30):
        async with session(setup(pricing, clock), memory=False) as recording:
            await settle(recording)
            running = asyncio.create_task(exporter._sessions(setup(pricing, clock), pages, stop))
            assert await seen.get() is Mode.VIEWER
            assert (await figures(pages))["infertop_recording"] == 1
        while await seen.get() is not Mode.WRITER:
            pass
        assert (await figures(pages))["infertop_recording"] == 1
        stop.set()
        assert await running == 0


async def test_other_paths_are_not_found_and_the_root_says_where_to_look() -> None:
    pages = Pages(Access("127.0.0.1", 0))
    assert b"/metrics" in (await pages.answer(Request("GET", "/", {}))).body
    with pytest.raises(Refused) as refused:
        await pages.answer(Request("GET", "/metrics/../x", {}))
    assert refused.value.response.status is HTTPStatus.NOT_FOUND
