"""Vertex AI's tokens are Cloud Monitoring's to the last one, in the bucket that each point ends."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from collectors import KINDS
from collectors._google import GoogleAccess
from collectors.vertex import reader
from infertop.engine.collector import State, Unavailable
from tests.collectors.aws_world import config
from tests.collectors.provider_world import NOW, first
from tests.collectors.reading import sums
from tests.fakes import FakeClock

PATH = "/v3/projects/my-project/timeSeries"
TOKEN = "ya29.canary-token-1618033988"
AT = int(NOW // 60 * 60) - 600
TOKENS = "aiplatform.googleapis.com/publisher/online_serving/token_count"
CALLS = "aiplatform.googleapis.com/publisher/online_serving/model_invocation_count"


class FakeAccess(GoogleAccess):
    """Has a token, and a project of its own."""

    async def headers(self):
        return {"authorization": f"Bearer {TOKEN}"}

    async def project(self) -> str:
        return "my-project"


def iso(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Google:
    """Cloud Monitoring: sums of points by the labels that are asked for, newest first, in pages of `per_page`."""

    def __init__(self, points=None, per_page: int = 10_000, said=None) -> None:
        self.points = points if points is not None else used()
        self.per_page = per_page
        self.said = said
        self.asked: list[dict] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == PATH
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        params = request.url.params
        self.asked.append(dict(params))
        if self.said is not None:
            return self.said
        assert params["aggregation.perSeriesAligner"] == "ALIGN_SUM"
        rows = self._series(params)
        at = int(params.get("pageToken", "0"))
        page = {"unit": "1"}
        if rows:
            page["timeSeries"] = rows[at : at + self.per_page]
        if at + self.per_page < len(rows):
            page["nextPageToken"] = str(at + self.per_page)
        return httpx.Response(200, json=page)

    def _series(self, params) -> list[dict]:
        width = int(params["aggregation.alignmentPeriod"].removesuffix("s"))
        start, end = (
            datetime.fromisoformat(params[f"interval.{name}"]).timestamp() for name in ("startTime", "endTime")
        )
        wanted = [field.rpartition(".")[2] for field in params.get_list("aggregation.groupByFields")]
        series: dict[tuple, dict[int, int]] = {}
        for metric, labels, at, amount in self.points:
            if f'"{metric}"' in params["filter"] and start <= at < end:
                ends = end - (end - at - 1) // width * width  # buckets from the end backwards, (begin, end]
                sums = series.setdefault(tuple((name, labels[name]) for name in wanted if name in labels), {})
                sums[ends] = sums.get(ends, 0) + amount
        return [
            {
                "metric": {"type": "x", "labels": {name: value for name, value in who if name in METRIC_LABELS}},
                "resource": {"type": "y", "labels": {name: value for name, value in who if name not in METRIC_LABELS}},
                "metricKind": "DELTA",
                "valueType": "INT64",
                "points": [
                    {"interval": {"startTime": iso(at), "endTime": iso(at)}, "value": {"int64Value": str(amount)}}
                    for at, amount in sorted(sums.items(), reverse=True)
                ],
            }
            for who, sums in series.items()
        ]

    def collector(self, **options):
        made = config("vertex", interval=60, **options)
        return reader(made, FakeAccess("vertex"), httpx.MockTransport(self))


METRIC_LABELS = {"type", "request_type", "shared_request_type", "response_code"}


def labels(**others: str) -> dict[str, str]:
    return {"model_user_id": "gemini-2.5-pro", "location": "us-central1", "request_type": "shared", **others}


def used(times: int = 1):
    tier = {"shared_request_type": "standard"}
    points = [
        (TOKENS, labels(type="input", source="a", **tier), AT, 1000),
        (TOKENS, labels(type="input", source="b", **tier), AT + 59, 500),
        (TOKENS, labels(type="output", **tier), AT, 300),
        (TOKENS, labels(type="output", **tier), AT + 60, 20),
        (TOKENS, labels(type="input", **tier), AT - 40 * 3600, 2500),
        (CALLS, labels(response_code="200"), AT, 6),
        (CALLS, labels(response_code="429"), AT, 2),
    ]
    return [(metric, whose, at, amount * times) for metric, whose, at, amount in points]


async def test_tokens_and_requests_are_told_by_model_place_and_tier():
    batch = await first(Google().collector())
    assert sums(batch) == {"input": 4000, "output": 320, "requests": 6}
    assert {(each.provider, each.model) for each in batch.statements} == {("google", "gemini-2.5-pro")}
    said = next(each for each in batch.statements if each.start == AT and each.quantities)
    assert said.dimensions == {"location": "us-central1", "service_tier": "standard"}
    assert (said.quantities, said.end) == ({"input": 1500, "output": 300}, AT + 60)
    assert all(each.usd_nano is None for each in batch.statements)


async def test_a_thousand_times_the_tokens_are_a_thousand_times_the_quantity():
    assert sums(await first(Google(used(1000)).collector()))["input"] == 4_000_000


async def test_pages_are_read_to_their_end():
    assert sums(await first(Google(per_page=1).collector())) == sums(await first(Google().collector()))


async def test_provisioned_throughput_and_tiers_are_apart():
    points = [
        (TOKENS, {**labels(type="input"), "request_type": "dedicated"}, AT, 7),
        (TOKENS, labels(type="input", shared_request_type="priority"), AT, 5),
    ]
    said = {
        each.dimensions.get("service_tier") or each.dimensions["request_type"]: each
        for each in (await first(Google(points).collector())).statements
    }
    assert {name: each.quantities["input"] for name, each in said.items()} == {"dedicated": 7, "priority": 5}


async def test_what_failed_is_told_and_is_no_request():
    assert "in the last two hours: gemini-2.5-pro: 2 failed" in (await first(Google().collector())).notes


async def test_tokens_of_a_kind_that_is_not_known_are_named_and_in_no_figure():
    batch = await first(Google([*used(), (TOKENS, labels(type="thought"), AT, 99)]).collector())
    assert sums(batch)["output"] == 320
    assert any("tokens of the type thought" in note for note in batch.notes)


async def test_what_was_odd_in_hours_stands_while_minutes_are_good():
    collector = Google([*used(), (TOKENS, labels(type="thought"), AT - 40 * 3600, 99)]).collector()
    for later in (0, 3600):
        await collector.collect(NOW + later)
    assert any("tokens of the type thought" in note for note in (await collector.collect(NOW + 3660)).notes)
    await collector.close()


async def test_an_answer_without_series_says_that_nothing_was_used():
    batch = await first(Google([]).collector())
    assert batch.statements == ()
    assert {each.scope for each in batch.covered} == {"tokens|", "requests|"}


@pytest.mark.parametrize(
    "value", [{"int64Value": "-5"}, {"int64Value": "1e9"}, {"doubleValue": 0.5}, {"int64Value": None}, {}, None, 3]
)
async def test_a_value_that_is_no_count_is_a_sentence(value):
    point = {"interval": {"endTime": iso(AT)}, "value": value}
    series = {
        "resource": {"labels": {"model_user_id": "m"}},
        "metric": {"labels": {"type": "input"}},
        "points": [point],
    }
    with pytest.raises(Unavailable, match="Cloud Monitoring"):
        await first(Google(said=httpx.Response(200, json={"timeSeries": [series]})).collector())


@pytest.mark.parametrize(
    "page",
    [{"timeSeries": [], "nextPageToken": "again"}, {"executionErrors": [{"message": "timed out"}]}, {"timeSeries": 3}],
)
async def test_a_part_is_never_taken_for_the_whole(page):
    with pytest.raises(Unavailable, match="Cloud Monitoring"):
        await first(Google(said=httpx.Response(200, json=page)).collector())


async def test_a_role_that_is_missing_is_named():
    said = {
        "error": {"code": 403, "message": "Permission monitoring.timeSeries.list denied", "status": "PERMISSION_DENIED"}
    }
    with pytest.raises(Unavailable, match=r"Permission monitoring.*Monitoring Viewer") as caught:
        await first(Google(said=httpx.Response(403, json=said)).collector())
    assert caught.value.state is State.AUTH
    assert TOKEN not in caught.value.sentence


async def test_without_the_library_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="google")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(Unavailable, match=r'pip install "infertop\[google\]"') as caught:
        await GoogleAccess("vertex").headers()
    assert caught.value.state is State.ABSENT


@pytest.mark.parametrize("options", [{"project": "a/b"}, {"project": 3}])
def test_an_option_that_is_wrong_is_told(options):
    with pytest.raises(ValueError, match="vertex: "):
        KINDS["vertex"].make(config("vertex", **options), None, FakeClock())


async def test_tokens_before_and_after_midnight_are_those_of_two_days():
    midnight = int(NOW // 86_400 * 86_400)
    points = [(TOKENS, labels(type="input"), midnight - 1, 5), (TOKENS, labels(type="input"), midnight, 7)]
    batch = await first(Google(points).collector())
    days = {int(each.start // 86_400): each.quantities["input"] for each in batch.statements}
    assert days == {midnight // 86_400 - 1: 5, midnight // 86_400: 7}
