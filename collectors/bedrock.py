"""Amazon Bedrock: tokens by model, minutes old, from CloudWatch, and AWS's daily bills where they are asked for.

CloudWatch knows no keys and no users. The input excludes both caches; of what is written to them the lifetime is not
told, and 5 minutes is taken. `bedrock-mantle`, the endpoint that speaks OpenAI's and Anthropic's APIs, counts in a
namespace of its own, billable tokens without a split by caches: by project and model, or else by model. Reading costs
money: see `_cloudwatch.py`; bills are in `_cost_explorer.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collectors._aws import OPTIONS, Access, Aws, stand_in
from collectors._cloud_reader import CloudReader, flag, not_below
from collectors._cloudwatch import SERVICE, CloudWatch
from collectors._cloudwatch_usage import CloudWatchUsage, Namespace
from collectors._cost_explorer import CostExplorer
from collectors._provider_account import Habits
from collectors._provider_buckets import Bucket, Unread, dimension, statement
from collectors._provider_pages import Row
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, Option, SourceConfig
from infertop.readings.breakdown import breakdown
from infertop.readings.figures import count
from infertop.readings.model import Statement

if TYPE_CHECKING:
    import httpx

    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

PROVIDER = "aws"
_USUAL_SECONDS, _LEAST_SECONDS = 300.0, 60.0
_FAULTS = {"throttled": "throttled", "client": "client errors", "server": "server errors"}
FAMILIES = {
    "runtime": Namespace(
        "AWS/Bedrock",
        ("ModelId",),
        {
            "InputTokenCount": "inputTokens",
            "OutputTokenCount": "outputTokens",
            "CacheReadInputTokenCount": "cacheReadInputTokens",
            "CacheReadInputTokens": "cacheReadInputTokens",
            "CacheWriteInputTokenCount": "cacheWriteInputTokens",
            "CacheWriteInputTokens": "cacheWriteInputTokens",
            "OutputImageCount": "images",
            "Invocations": "requests",
        },
        {
            "InvocationThrottles": _FAULTS["throttled"],
            "InvocationClientErrors": _FAULTS["client"],
            "InvocationServerErrors": _FAULTS["server"],
        },
    ),
    "mantle": Namespace(
        "AWS/BedrockMantle",
        ("Model", "Project"),
        {"InputTokens": "inputTokens", "OutputTokens": "outputTokens", "Inferences": "requests"},
        {"InferenceClientErrors": _FAULTS["client"]},
        needs=frozenset({"inputTokens", "outputTokens"}),
        otherwise=Namespace(
            "AWS/BedrockMantle",
            ("Model",),
            {"TotalInputTokens": "inputTokens", "TotalOutputTokens": "outputTokens", "Inferences": "requests"},
            {"InferenceClientErrors": _FAULTS["client"]},
        ),
    ),
}


class _Say:
    """Makes statements of rows."""

    def __init__(self, config: SourceConfig) -> None:
        self._source = config.name

    def __call__(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        """Return what a model used in a bucket."""
        tokens = {name: amount for name, amount in row.items() if name.endswith("Tokens")}
        quantities: dict[str, Any] = dict(breakdown("bedrock", tokens).tokens) if tokens else {}
        if "images" in row:
            quantities["images"] = count(row["images"], "OutputImageCount")
        project = dimension(row, "Project")
        said = statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=family,
            model=dimension(row, "ModelId") or dimension(row, "Model"),
            dimensions={"project": project} if project else {},
            quantities=quantities,
            requests=count(row["requests"], "Invocations") if "requests" in row else None,
            number=number,
        )
        return said, ()


def reader(config: SourceConfig, access: Access, transport: httpx.AsyncBaseTransport | None = None) -> Collector:
    """Return the collector of a source; `transport` stands in for the network."""
    every = not_below(config, _LEAST_SECONDS)
    watch = Aws(access, SERVICE, config.url, transport=transport)
    habits = Habits(families=dict.fromkeys(FAMILIES, every), chores={"costs": 3600.0}, lag_seconds=300.0)
    bills = None
    if flag(config, "cost_explorer"):
        bills = CostExplorer(config, access, PROVIDER, "Bedrock", stand_in(config.url), transport)
    return CloudReader(config, watch, CloudWatchUsage(CloudWatch(watch), FAMILIES, _Say(config)), habits, bills)


def _make(config: SourceConfig, _http: Http | None, _clock: Clock) -> Collector:
    return reader(config, Access(config))


KIND = Kind(
    name="bedrock",
    help="Amazon Bedrock's tokens by model through CloudWatch (about 0.50 USD a month for a model, asked every 300 s)",
    make=_make,
    options=(
        *(Option(*each) for each in OPTIONS),
        Option("cost_explorer", "true: read AWS's daily bills too, once a day, at 0.01 USD for each page"),
        Option("account_id", "bills of this AWS account alone, where the credentials see several"),
    ),
    least_seconds=_USUAL_SECONDS,
    api=Api(
        "https://monitoring.REGION.amazonaws.com", (), what="AWS credentials", extra="aws", module="botocore.session"
    ),
)
