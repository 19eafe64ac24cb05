"""Azure's tokens are Azure Monitor's to the last one, each under one name; bills and faults are told as they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import httpx
import pytest

from collectors import KINDS
from collectors._azure import AzureAccess
from collectors.azure import reader
from infertop.engine.collector import State, Unavailable
from infertop.engine.secrets import redact
from tests.collectors.aws_world import config
from tests.collectors.provider_world import NOW, first
from tests.collectors.reading import sums
from tests.fakes import FakeClock

GROUP = "/subscriptions/0f1e/resourceGroups/ml-(prod)"
RESOURCE = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/contoso"
METRICS = f"{RESOURCE}/providers/microsoft.insights/metrics"
COSTS = f"{GROUP}/providers/Microsoft.CostManagement/query"
SECRET = "canary~client-secret-2718281828"
TOKEN = "eyJ0canary.token.3141592653"
AT = int(NOW // 60 * 60) - 600
DAY = 86_400
ENVIRON = {"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": SECRET}


def iso(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Azure:
    """Azure Monitor, Cost Management and the sign-in, with the shapes of their documentation."""

    def __init__(self, points=None, **said) -> None:
        self.points = points if points is not None else used()
        self.said = said
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.host == "login.microsoftonline.com":
            assert request.url.path == "/contoso.com/oauth2/v2.0/token"
            form = parse_qs(request.content.decode())
            assert form["grant_type"] == ["client_credentials"]
            assert form["scope"] == ["https://management.azure.com/.default"]
            return self.said.get("token") or httpx.Response(200, json={"access_token": TOKEN, "expires_in": 3599})
        assert request.url.host == "management.azure.com"
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if request.url.path == COSTS:
            return self.said["costs"](request)
        assert request.url.path == METRICS
        if callable(said := self.said.get("metrics")):
            return httpx.Response(200, json=said(request.url.params["metricnames"].split(",")))
        return said or httpx.Response(200, json=self._metrics(dict(request.url.params)))

    def _metrics(self, asked: dict[str, str]) -> dict:
        width = {"PT1M": 60, "PT1H": 3600}[asked["interval"]]
        start, end = (datetime.fromisoformat(each).timestamp() for each in asked["timespan"].split("/"))
        by = [part.partition(" ")[0] for part in asked["$filter"].split(" and ")]
        assert int(asked["top"]) > 10
        value = []
        for name in asked["metricnames"].split(","):
            series: dict[tuple[str, ...], dict[int, float]] = {}
            for metric, who, at, amount in self.points:
                if metric == name and start <= at < end:
                    sums = series.setdefault(tuple(who[each] for each in by), {})
                    sums[at // width * width] = sums.get(at // width * width, 0) + amount
            value.append(
                {
                    "id": f"{METRICS}/{name}",
                    "type": "Microsoft.Insights/metrics",
                    "name": {"value": name, "localizedValue": name},
                    "unit": "Count",
                    "errorCode": "Success",
                    "timeseries": [
                        {
                            "metadatavalues": [
                                {"name": {"value": each.lower(), "localizedValue": each.lower()}, "value": value}
                                for each, value in zip(by, who, strict=True)
                            ],
                            "data": [
                                *({"timeStamp": iso(at), asked["aggregation"].lower(): v} for at, v in sums.items()),
                                {"timeStamp": iso(int(start))},
                            ],
                        }
                        for who, sums in series.items()
                    ],
                }
            )
        return {"cost": 59, "timespan": asked["timespan"], "interval": asked["interval"], "value": value}

    def collector(self, **options):
        made = config("azure", interval=60, resource=RESOURCE, **options)
        network = httpx.MockTransport(self)
        return reader(made, AzureAccess("azure", FakeClock(NOW), ENVIRON, network), network)


def who(status: str = "200") -> dict[str, str]:
    return {"ModelDeploymentName": "prod-4o", "ModelName": "gpt-4o", "StatusCode": status}


def used(times: int = 1) -> list[tuple[str, dict[str, str], int, float]]:
    counts = [
        *(("ProcessedPromptTokens", who(), AT, 1500.0), ("GeneratedTokens", who(), AT, 400.0)),
        *(("AzureOpenAIRequests", who(), AT, 3.0), ("AzureOpenAIRequests", who("429"), AT, 5.0)),
        *(("ProcessedPromptTokens", who(), AT - 30 * 3600, 2500.0), ("GeneratedTokens", who(), AT - 30 * 3600, 100.0)),
        # The twins of the same tokens.
        *(("InputTokens", who(), AT, 1500.0), ("OutputTokens", who(), AT, 400.0), ("ModelRequests", who(), AT, 3.0)),
    ]
    return [(name, whose, at, amount * times) for name, whose, at, amount in counts]


async def test_tokens_and_requests_are_told_by_deployment_and_model():
    batch = await first(Azure().collector())
    assert sums(batch) == {"input": 4000, "output": 500, "requests": 3}
    assert {(each.provider, each.model, each.dimensions["deployment"]) for each in batch.statements} == {
        ("azure", "gpt-4o", "prod-4o")
    }
    assert all(each.usd_nano is None for each in batch.statements)


async def test_a_thousand_times_the_tokens_are_a_thousand_times_the_quantity():
    assert sums(await first(Azure(used(1000)).collector()))["input"] == 4_000_000


@pytest.mark.parametrize("metrics", ["openai", "models"])
async def test_of_twins_one_family_of_names_is_asked(metrics):
    azure = Azure()
    batch = await first(azure.collector(metrics=metrics))
    names = {name for each in azure.asked for name in each.url.params.get("metricnames", "").split(",") if name}
    assert ("ProcessedPromptTokens" in names) != ("InputTokens" in names)
    assert sum(each.requests or 0 for each in batch.statements) == 3


async def test_what_failed_is_told_and_is_no_request():
    assert "in the last two hours: prod-4o: 5 x HTTP 429" in (await first(Azure().collector())).notes


async def test_how_busy_reserved_throughput_is_is_said():
    points = [*used(), ("AzureOpenAIProvisionedManagedUtilizationV2", who(), AT, 83.4)]
    assert "provisioned throughput in use: prod-4o 83 %" in (await first(Azure(points).collector())).notes


async def test_an_answer_that_is_full_to_the_top_is_not_used():
    row = {"metadatavalues": [], "data": []}
    names = ("ProcessedPromptTokens", "GeneratedTokens")
    page = {"value": [{"name": {"value": name}, "timeseries": [row] * 1000} for name in names]}
    with pytest.raises(Unavailable, match="may be cut off"):
        await first(Azure(metrics=httpx.Response(200, json=page)).collector())


@pytest.mark.parametrize("value", [-1, 0.5, "3", 1e300, True])
async def test_a_value_that_is_no_count_is_a_sentence(value):
    data = {"metadatavalues": [], "data": [{"timeStamp": iso(AT), "total": value}]}

    def broken(names):
        return {"value": [{"name": {"value": name}, "timeseries": [data]} for name in names]}

    batch = await first(Azure(metrics=broken).collector())
    assert batch.statements == ()
    assert any("Azure Monitor: ProcessedPromptTokens" in note for note in batch.notes)


async def test_a_metric_that_is_not_told_leaves_nothing_of_the_span():
    with pytest.raises(Unavailable, match="does not tell GeneratedTokens, ProcessedPromptTokens"):
        await first(Azure(metrics=lambda names: {"value": []}).collector())


async def test_the_longest_of_several_waits_is_kept():
    headers = {
        "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "7",
        "x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after": "90",
        "retry-after": "30",
    }
    with pytest.raises(Unavailable, match="fewer requests") as caught:
        await first(Azure(metrics=httpx.Response(429, headers=headers, json={})).collector())
    assert caught.value.retry_seconds == pytest.approx(90, abs=2)


async def test_a_role_that_is_missing_is_named():
    said = {"error": {"code": "AuthorizationFailed", "message": "The client 'app' does not have authorization"}}
    with pytest.raises(Unavailable, match="Monitoring Reader") as caught:
        await first(Azure(metrics=httpx.Response(403, json=said)).collector())
    assert caught.value.state is State.AUTH
    assert "does not have authorization" in caught.value.sentence


async def test_a_secret_that_is_over_is_one_sentence_without_it():
    said = {
        "error": "invalid_client",
        "error_description": f"AADSTS7000222: the secret {SECRET} is expired.\r\nTrace: 1",
    }
    with pytest.raises(Unavailable, match="AADSTS7000222") as caught:
        await first(Azure(token=httpx.Response(401, json=said)).collector())
    assert caught.value.state is State.AUTH
    assert SECRET not in caught.value.sentence


async def test_a_token_is_kept_until_shortly_before_it_ends():
    clock, azure = FakeClock(NOW), Azure()
    access = AzureAccess("azure", clock, ENVIRON, httpx.MockTransport(azure))
    await access.headers()
    clock.jump(3000)
    await access.headers()
    assert len(azure.asked) == 1
    clock.jump(400)
    await access.headers()
    assert len(azure.asked) == 2
    assert redact(f"{TOKEN} {SECRET}") == "*** ***"


async def test_without_the_library_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="azure")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(Unavailable, match=r'pip install "infertop\[azure\]"') as caught:
        await AzureAccess("azure", FakeClock(), {}).headers()
    assert caught.value.state is State.ABSENT


def bills(request: httpx.Request) -> httpx.Response:
    """Two pages, the second by a link."""
    asked = json.loads(request.content)
    assert asked["dataset"]["filter"]["dimensions"]["values"] == [RESOURCE]
    columns = [{"name": name, "type": ""} for name in ("Cost", "UsageDate", "Meter", "Currency")]
    more = "$skiptoken" in str(request.url)
    rows = [[0.25, 20260720, "gpt 4o Inp glbl Tokens", "USD"]]
    if not more:
        rows = [[1.000000001, 20260719, "gpt 4o Outp glbl Tokens", "USD"], [7.5, 20260721, "today", "USD"]]
    link = None if more else f"https://management.azure.com{COSTS}?api-version=2023-11-01&$skiptoken=2"
    return httpx.Response(200, json={"properties": {"nextLink": link, "columns": columns, "rows": rows}})


async def test_bills_are_read_to_the_last_unit_from_all_pages_once_a_day():
    azure = Azure(costs=bills)
    collector = azure.collector(cost_management=True)
    batch = await collector.collect(NOW)
    pages = batch.account.bills
    assert [(page.start, page.bills[0].usd_nano) for page in pages] == [
        (int(NOW // DAY * DAY) - 2 * DAY, 1_000_000_001),
        (int(NOW // DAY * DAY) - DAY, 250_000_000),
    ]
    again = azure.collector(cost_management=True)
    again.resume(batch.bookmarks)
    asked = len([each for each in azure.asked if each.url.path == COSTS])
    await again.collect(NOW + 7200)
    assert len([each for each in azure.asked if each.url.path == COSTS]) == asked
    await collector.close()
    await again.close()


async def test_a_link_to_elsewhere_is_not_followed():
    def lured(request):
        said = bills(request).json()
        said["properties"]["nextLink"] = "https://evil.example.com/x"
        return httpx.Response(200, json=said)

    azure = Azure(costs=lured)
    batch = await first(azure.collector(cost_management=True))
    assert batch.account.bills == ()
    assert {each.url.host for each in azure.asked} == {"login.microsoftonline.com", "management.azure.com"}


@pytest.mark.parametrize(
    "options", [{}, {"resource": "contoso"}, {"resource": RESOURCE, "metrics": "all"}, {"resource": f"{RESOURCE}/../x"}]
)
def test_an_option_that_is_wrong_is_told(options):
    with pytest.raises(ValueError, match="azure: "):
        KINDS["azure"].make(config("azure", **options), None, FakeClock())


async def test_tokens_before_and_after_midnight_are_those_of_two_days():
    midnight = int(NOW // DAY * DAY)
    points = [("ProcessedPromptTokens", who(), midnight - 60, 5.0), ("ProcessedPromptTokens", who(), midnight, 7.0)]
    batch = await first(Azure(points).collector())
    days = {int(each.start // DAY): each.quantities["input"] for each in batch.statements}
    assert days == {midnight // DAY - 1: 5, midnight // DAY: 7}
