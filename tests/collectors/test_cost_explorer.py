"""AWS's bills are read to the last 1e-9 USD, at most once a day, over restarts too, and only where that is wanted."""

from __future__ import annotations

import json

import httpx
import pytest

from collectors.bedrock import reader
from infertop.readings.model import Batch
from tests.collectors.aws_world import CloudWatchWorld, FakeAccess, config
from tests.collectors.provider_world import NOW

DAY = 86_400
TODAY = int(NOW // DAY * DAY)


def group(service: str, usage: str, amount: str, unit: str = "USD") -> dict:
    return {"Keys": [service, usage], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": unit}}}


def day(number: int, *groups: dict) -> dict:
    """A day of July 2026, as Cost Explorer tells it."""
    span = {"Start": f"2026-07-{number:02}", "End": f"2026-07-{number + 1:02}"}
    return {"TimePeriod": span, "Total": {}, "Groups": list(groups), "Estimated": True}


SERVICES = ["Amazon Bedrock", "Claude Sonnet 4.5 (Amazon Bedrock Edition)", "Amazon Simple Storage Service"]
PAGES = [
    {
        "ResultsByTime": [day(19, group(SERVICES[0], "USE1-NovaLite-input-tokens", "0.0123456789"))],
        "NextPageToken": "more",
    },
    {
        "ResultsByTime": [
            day(19, group(SERVICES[1], "USE1_InputTokenCount-Units", "12.5")),
            day(20, group(SERVICES[0], "USE1-NovaLite-output-tokens", "1E-9")),
        ]
    },
]


class World:
    """Cost Explorer and an empty CloudWatch."""

    def __init__(self, pages=PAGES) -> None:
        self.asked: list[tuple[str, dict]] = []
        self._pages = pages
        self._watch = CloudWatchWorld("AWS/Bedrock")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host.startswith("monitoring."):
            return self._watch(request)
        assert str(request.url) == "https://ce.us-east-1.amazonaws.com/"
        assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
        operation, asked = request.headers["X-Amz-Target"].partition(".")[2], json.loads(request.content)
        self.asked.append((operation, asked))
        if operation == "GetDimensionValues":
            return httpx.Response(200, json={"DimensionValues": [{"Value": each} for each in SERVICES]})
        return httpx.Response(200, json=self._pages[1 if "NextPageToken" in asked else 0])

    def collector(self, *, bills: bool = True, **options):
        made = config("bedrock", cost_explorer=bills, **options)
        return reader(made, FakeAccess(), httpx.MockTransport(self))


async def read(world: World, ts: float = NOW, **options) -> Batch:
    made = world.collector(**options)
    batch = await made.collect(ts)
    await made.close()
    return batch


async def test_days_are_read_from_all_pages_to_the_last_unit():
    batch = await read(World())
    first, second = batch.account.bills
    assert (first.start, first.end) == (TODAY - 2 * DAY, TODAY - DAY)
    assert [each.usd_nano for each in first.bills] == [12_345_679, 12_500_000_000]
    assert [each.usd_nano for each in second.bills] == [1]
    assert first.bills[1].text == "Claude Sonnet 4.5 (Amazon Bedrock Edition), USE1_InputTokenCount-Units"
    assert first.settles_seconds == 2 * DAY


async def test_only_the_services_of_bedrock_in_the_sources_region_are_asked_for():
    world = World()
    await read(world, account_id="123456789012")
    asked = next(asked for name, asked in world.asked if name == "GetCostAndUsage")
    parts = {each["Dimensions"]["Key"]: each["Dimensions"]["Values"] for each in asked["Filter"]["And"][:-1]}
    assert parts == {"SERVICE": SERVICES[:2], "REGION": ["us-east-1"], "LINKED_ACCOUNT": ["123456789012"]}
    assert asked["TimePeriod"] == {"Start": "2026-06-30", "End": "2026-07-21"}


async def test_nothing_is_asked_of_it_unless_that_is_wanted():
    world = World()
    assert (await read(world, bills=False)).account.bills == ()
    assert world.asked == []


async def test_it_is_asked_once_a_day_over_a_restart_too():
    world = World()
    before = await read(world)
    asked = len(world.asked)
    again = world.collector()
    again.resume(before.bookmarks)
    await again.collect(NOW + 3600)
    assert len(world.asked) == asked
    await again.collect(NOW + DAY)
    assert len(world.asked) == 2 * asked
    await again.close()


async def test_a_failure_is_tried_again_and_is_no_answer():
    world = World([{"ResultsByTime": [], "NextPageToken": 3}])
    batch = await read(world)
    assert all(key.startswith("hours|") for key in batch.bookmarks)
    assert any("promises more without end" in note for note in batch.notes)


@pytest.mark.parametrize(
    ("broken", "said"),
    [(group(SERVICES[0], "x", "1.0", "EUR"), "in EUR, not in USD"), (group(SERVICES[0], "x", "NaN"), "no amount")],
)
async def test_a_day_that_cannot_be_read_is_not_settled_by_its_rest(broken, said):
    good = group(SERVICES[0], "y", "2.0")
    world = World([{"ResultsByTime": [day(19, good, broken), day(20, good)]}])
    batch = await read(world)
    assert [page.start for page in batch.account.bills] == [TODAY - DAY]
    assert any(said in note for note in batch.notes)
