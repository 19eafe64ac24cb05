"""Bedrock's tokens are CloudWatch's to the last one: each once, by model, and a part is never taken for the whole."""

from __future__ import annotations

import httpx
import pytest

from collectors import KINDS
from collectors.bedrock import reader
from infertop.engine.collector import State, Unavailable
from infertop.readings.model import Batch
from tests.collectors.aws_world import CLAUDE, CloudWatchWorld, FakeAccess, config
from tests.collectors.provider_world import NOW, first
from tests.fakes import FakeClock

MINUTE_AT = int(NOW // 60 * 60) - 600
DAYS_AGO = int(NOW // 3600 * 3600) - 50 * 3600 + 120


def world(**changes) -> CloudWatchWorld:
    made = CloudWatchWorld("AWS/Bedrock", **changes)
    made.add("InputTokenCount", {MINUTE_AT: 1200, MINUTE_AT + 60: 800, DAYS_AGO: 5000}, ModelId=CLAUDE)
    made.add("OutputTokenCount", {MINUTE_AT: 300, DAYS_AGO: 700}, ModelId=CLAUDE)
    made.add("CacheReadInputTokenCount", {MINUTE_AT: 90_000}, ModelId=CLAUDE)
    made.add("CacheWriteInputTokenCount", {MINUTE_AT: 4000}, ModelId=CLAUDE)
    made.add("Invocations", {MINUTE_AT: 3, MINUTE_AT + 60: 1, DAYS_AGO: 2}, ModelId=CLAUDE)
    # The same tokens again, of all models together: never both.
    made.add("InputTokenCount", {MINUTE_AT: 1200, MINUTE_AT + 60: 800})
    return made


async def read(cloud, ts: float = NOW, **options) -> Batch:
    return await first(reader(config("bedrock", **options), FakeAccess(), httpx.MockTransport(cloud)), ts)


def sums(batch: Batch) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in batch.statements:
        for name, amount in each.quantities.items():
            found[name] = found.get(name, 0) + amount
    return found


async def test_tokens_are_disjoint_and_to_the_last_one():
    batch = await read(world())
    assert sums(batch) == {"input": 7000, "output": 1000, "cache_read": 90_000, "cache_write_5m": 4000}
    assert sum(each.requests for each in batch.statements) == 6
    assert {(each.provider, each.model) for each in batch.statements} == {("aws", CLAUDE)}
    assert all(each.usd_nano is None for each in batch.statements)


async def test_a_thousand_times_the_tokens_are_a_thousand_times_the_quantity():
    cloud = world()
    cloud.points = {key: {at: value * 1000 for at, value in points.items()} for key, points in cloud.points.items()}
    assert sums(await read(cloud))["input"] == 7_000_000


async def test_minutes_are_asked_for_what_was_active_and_hours_for_all():
    cloud = world()
    cloud.add("InputTokenCount", {DAYS_AGO: 40}, ModelId="amazon.nova-lite-v1:0")
    await read(cloud)
    asked = [
        (each["MetricDataQueries"][0]["MetricStat"]["Period"], each)
        for name, each in cloud.asked
        if name == "GetMetricData"
    ]
    minutes = next(each for width, each in asked if width == 60)
    hours = next(each for width, each in asked if width == 3600)
    assert (len(minutes["MetricDataQueries"]), len(hours["MetricDataQueries"])) == (5, 6)
    assert minutes["StartTime"] % 3600 == 0
    assert minutes["EndTime"] == NOW // 60 * 60
    assert hours["EndTime"] == minutes["StartTime"]
    assert set(cloud.urls) == {"https://monitoring.us-east-1.amazonaws.com/"}


async def test_pages_are_read_to_their_end():
    assert sums(await read(world(per_page=1))) == sums(await read(world()))


async def test_what_was_asked_is_covered_also_where_nothing_was_used():
    batch = await read(CloudWatchWorld("AWS/Bedrock"))
    assert batch.statements == ()
    assert {each.scope for each in batch.covered} == {"runtime|", "mantle|"}
    assert batch.account.complete_until == (NOW - 300) // 60 * 60


async def test_nothing_is_asked_of_metrics_where_there_are_none():
    cloud = CloudWatchWorld("AWS/Bedrock")
    await read(cloud)
    assert {name for name, _ in cloud.asked} == {"ListMetrics"}


async def test_mantle_is_read_by_project():
    cloud = CloudWatchWorld("AWS/BedrockMantle")
    cloud.add("InputTokens", {MINUTE_AT: 10}, Model="openai.gpt-oss-120b", Project="proj_1")
    cloud.add("OutputTokens", {MINUTE_AT: 4}, Model="openai.gpt-oss-120b", Project="proj_1")
    cloud.add("Inferences", {MINUTE_AT: 2}, Model="openai.gpt-oss-120b", Project="proj_1")
    cloud.add("Inferences", {MINUTE_AT: 2}, Model="openai.gpt-oss-120b")
    cloud.add("TotalInputTokens", {MINUTE_AT: 10}, Model="openai.gpt-oss-120b")
    cloud.add("TotalOutputTokens", {MINUTE_AT: 4}, Model="openai.gpt-oss-120b")
    (said,) = (await read(cloud)).statements
    assert (said.model, said.dimensions, said.requests) == ("openai.gpt-oss-120b", {"project": "proj_1"}, 2)
    assert said.quantities == {"input": 10, "output": 4}


async def test_mantle_is_read_by_model_where_tokens_are_not_told_by_project():
    cloud = CloudWatchWorld("AWS/BedrockMantle")
    cloud.add("InputTokens", {MINUTE_AT: 10}, Model="openai.gpt-oss-120b", Project="proj_1")
    cloud.add("TotalInputTokens", {MINUTE_AT: 10}, Model="openai.gpt-oss-120b")
    cloud.add("TotalOutputTokens", {MINUTE_AT: 4}, Model="openai.gpt-oss-120b")
    cloud.add("TotalOutputTokens", {MINUTE_AT: 4})
    (said,) = (await read(cloud)).statements
    assert (said.dimensions, said.quantities) == ({}, {"input": 10, "output": 4})


async def test_two_names_of_one_metric_count_once():
    cloud = world()
    cloud.add("CacheReadInputTokens", {MINUTE_AT: 90_000}, ModelId=CLAUDE)
    assert sums(await read(cloud))["cache_read"] == 90_000


async def test_what_failed_is_told_and_not_counted():
    cloud = world()
    cloud.add("InvocationThrottles", {MINUTE_AT: 12}, ModelId=CLAUDE)
    cloud.add("InvocationServerErrors", {MINUTE_AT: 2}, ModelId=CLAUDE)
    batch = await read(cloud)
    assert f"in the last two hours: {CLAUDE}: 12 throttled, {CLAUDE}: 2 server errors" in batch.notes
    assert sums(batch) == sums(await read(world()))


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
async def test_a_part_is_never_taken_for_the_whole(status):
    batch = await read(CloudWatchWorld("AWS/Bedrock", points=world().points, status=status))
    assert batch.statements == ()
    assert {each.scope for each in batch.covered} == {"mantle|"}
    assert any(f"CloudWatch says {status}" in note for note in batch.notes)


@pytest.mark.parametrize(
    "values", [[1.5], [-1], ["1"], [1e30], [True], [None], [], [1, 2]], ids=lambda values: str(values)[:12]
)
async def test_a_value_that_is_no_count_is_a_sentence(values):
    def broken(operation, asked):
        if operation == "ListMetrics":
            return None
        row = {"Id": "m0", "Timestamps": [MINUTE_AT], "Values": values, "StatusCode": "Complete"}
        return httpx.Response(200, json={"MetricDataResults": [row]})

    batch = await read(world(said=broken))
    assert batch.statements == ()
    assert any("CloudWatch" in note for note in batch.notes)


async def test_an_endless_cursor_ends():
    def endless(operation, asked):
        return httpx.Response(200, json={"Metrics": [], "NextToken": "again"})

    with pytest.raises(Unavailable, match="more without end"):
        await read(world(said=endless))


@pytest.mark.parametrize(
    ("name", "state", "retry"),
    [
        ("com.amazon.coral.service#AccessDeniedException", State.AUTH, None),
        ("com.amazon.coral.service#ExpiredTokenException", State.AUTH, None),
        ("com.amazon.coral.service#ThrottlingException", State.DOWN, 30.0),
        ("Throttling", State.DOWN, 30.0),
        ("com.amazon.coral.service#InvalidParameterValueException", State.DOWN, None),
    ],
)
async def test_what_aws_refuses_is_one_sentence(name, state, retry):
    said = {"__type": name, "message": "User: arn:aws:iam::123456789012:user/me is not allowed\x1b[31m"}
    with pytest.raises(Unavailable) as caught:
        await read(world(said=httpx.Response(400, json=said)))
    assert caught.value.state is state
    assert (caught.value.retry_seconds or 0) == pytest.approx(retry or 0, abs=1)
    assert "\x1b" not in caught.value.sentence
    assert ("fewer requests" if retry else "arn:aws:iam") in caught.value.sentence


async def test_a_key_goes_nowhere_over_plain_http():
    with pytest.raises(Unavailable, match="use https"):
        await read(world(), url="http://monitoring.example.com")


def test_more_often_than_each_minute_is_refused():
    with pytest.raises(ValueError, match="interval must be 60 s or more"):
        KINDS["bedrock"].make(config("bedrock", interval=5), None, FakeClock())


@pytest.mark.parametrize("options", [{"region": "us-east-1.evil.com/"}, {"region": 3}, {"cost_explorer": "yes"}])
def test_an_option_that_is_wrong_is_told(options):
    with pytest.raises(ValueError, match="bedrock: "):
        KINDS["bedrock"].make(config("bedrock", **options), None, FakeClock())


async def test_tokens_before_and_after_midnight_are_those_of_two_days():
    midnight = int(NOW // 86_400 * 86_400)
    cloud = CloudWatchWorld("AWS/Bedrock")
    cloud.add("InputTokenCount", {midnight - 60: 5, midnight: 7}, ModelId=CLAUDE)
    days = {int(each.start // 86_400): each.quantities["input"] for each in (await read(cloud)).statements}
    assert days == {midnight // 86_400 - 1: 5, midnight // 86_400: 7}
    assert all(each.end - each.start <= 3600 for each in (await read(cloud)).statements)


async def test_a_minute_that_is_told_again_takes_the_place_of_what_was_said():
    cloud = world()
    collector = reader(config("bedrock", interval=60.0), FakeAccess(), httpx.MockTransport(cloud))
    before = await collector.collect(NOW)
    cloud.points["InputTokenCount", (("ModelId", CLAUDE),)][MINUTE_AT] = 1300
    after = await collector.collect(NOW + 60)
    await collector.close()
    said = next(each for each in after.statements if each.start == MINUTE_AT)
    assert said.quantities["input"] == 1300
    assert said.key in {each.key for each in before.statements}
    assert any(each.start <= MINUTE_AT < each.end and said.key.startswith(each.scope) for each in after.covered)
