"""What a LiteLLM proxy served between two runs of infertop is told from its own books, once, between the pages."""

from __future__ import annotations

import pytest

from infertop.readings.model import Covered
from tests.collectors.litellm_world import DAILY, LOGS, MIDNIGHT, logged, pages, polls, proxy, told
from tests.collectors.provider_world import NOW

DAY = 86400.0
ENOUGH = 30


async def test_after_a_restart_what_was_served_since_the_last_page_is_told_and_nothing_again() -> None:
    batches = await polls(proxy(logs=pages(logged(1, "2026-07-21T05:00:00"))), ENOUGH)
    last = batches[-1].ts
    assert batches[-1].bookmarks == {"pages until": repr(last), "not told": ""}
    rows = [
        logged(2, "2026-07-21T12:08:19.900"),  # the last page had it
        logged(3, "2026-07-21T12:08:20", model="gpt-4o-mini"),
        logged(4, "2026-07-21T12:08:40.100"),
        logged(5, "2026-07-21T12:08:50"),  # the first page has it
    ]
    there = proxy(logs=pages(*rows))
    assert last == MIDNIGHT + 12 * 3600 + 500
    batches = await polls(there, ENOUGH, start=last + 30, known=batches[-1].bookmarks)
    (telling,) = [batch for batch in batches if batch.statements]
    assert [(s.model, s.start, s.end, s.requests) for s in telling.statements] == [
        ("gpt-4o", last, last + 30, 1),
        ("gpt-4o-mini", last, last + 30, 1),
    ]
    assert telling.covered == (Covered(last, last + 30),)
    assert there.params(DAILY) == []
    (asked,) = there.params(LOGS)
    assert (asked["start_date"], asked["end_date"]) == ("2026-07-21 11:58:20", "2026-07-21 12:08:50")


async def test_of_days_without_infertop_whole_ones_are_told_by_the_days_and_their_ends_by_requests() -> None:
    begun = MIDNIGHT - 2.5 * DAY
    rows = [
        logged(1, "2026-07-18T13:00:00", startTime="2026-07-18T12:59:00"),
        logged(2, "2026-07-19T00:00:05", startTime="2026-07-18T23:59:59"),  # of the day in which it began
        logged(3, "2026-07-20T13:00:00", startTime="2026-07-20T12:59:00"),  # of the days
        logged(4, "2026-07-21T05:00:00", startTime="2026-07-21T04:59:00"),
    ]
    there = proxy(logs=pages(*rows))
    kept = {"pages until": repr(begun), "not told": ""}
    batches = await polls(there, ENOUGH, known=kept)
    assert {(asked["start_date"], asked["end_date"]) for asked in there.params(DAILY)} == {("2026-07-19", "2026-07-20")}
    parts = [s for s in told(batches) if s.key.startswith("logs|")]
    assert sorted((s.start, s.requests) for s in parts) == [
        (begun + 3600, 1),
        (MIDNIGHT - 2 * DAY - 3600, 1),
        (MIDNIGHT + 5 * 3600, 1),
    ]
    assert sum(s.requests or 0 for s in told(batches)) == 75 + 3
    assert batches[-1].bookmarks["not told"] == ""


async def test_a_restart_while_days_are_told_goes_on_with_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors._litellm_past._MOST_TOLD", 1)
    batches = await polls(proxy(), ENOUGH)
    number = next(n for n, batch in enumerate(batches) if batch.statements)
    first = list(batches[number].statements)
    there = proxy()
    again = await polls(there, ENOUGH, start=batches[number].ts + 5, known=batches[number].bookmarks)
    assert {s.start for s in first} == {MIDNIGHT - 2 * DAY}
    assert {s.start for s in told(again)} == {MIDNIGHT - DAY}
    assert {asked["start_date"] for asked in there.params(DAILY)} == {"2026-07-20"}


async def test_while_there_is_more_to_ask_the_proxy_is_polled_again_soon() -> None:
    batches = await polls(proxy(), ENOUGH)
    asking = [batch.again_seconds for batch in batches]
    assert asking[:8] == [None] * 8  # its books are not whole yet
    assert asking[8:11] == [5.0] * 3
    assert asking[-1] is None


async def test_a_restart_before_anything_was_told_reads_up_to_the_first_page_of_all_and_not_up_to_its_own() -> None:
    (first,) = await polls(proxy(), 1)
    rows = [logged(1, "2026-07-21T05:00:00"), logged(2, "2026-07-21T13:00:00")]
    there = proxy(logs=pages(*rows))
    batches = await polls(there, ENOUGH, start=NOW + DAY, known=first.bookmarks)
    assert {asked["end_date"] for asked in there.params(DAILY)} == {"2026-07-20"}
    assert sorted({s.end for s in told(batches)})[2:] == [MIDNIGHT + 6 * 3600, MIDNIGHT + 14 * 3600]
    assert sum(s.requests or 0 for s in told(batches)) == 75 + 2


async def test_a_moment_that_nobody_can_read_is_none() -> None:
    for odd in ("", "nan", "soon", "-1", "inf"):
        (batch,) = await polls(proxy(), 1, known={"pages until": odd, "not told": ""})
        assert batch.bookmarks["pages until"] == repr(NOW)
        assert batch.bookmarks["not told"].endswith(f"..{MIDNIGHT!r} {MIDNIGHT!r}..{NOW!r}")
    for odd in ("x..y", "1..2..3", "5..1", "nan..7"):
        (batch,) = await polls(proxy(), 1, known={"pages until": repr(NOW), "not told": odd})
        assert batch.bookmarks["not told"] == ""
