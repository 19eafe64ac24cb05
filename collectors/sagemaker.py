"""Amazon SageMaker: requests by endpoint and variant, minutes old, from CloudWatch.

It knows no tokens. Endpoints cost by the hour of their instances, used or not: that is a `[[deployment]]` of
pricing.toml, or the engine's own page where it can be reached. Reading costs money: see `_cloudwatch.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors._aws import OPTIONS, Access, Aws
from collectors._cloud_reader import CloudReader, not_below
from collectors._cloudwatch import SERVICE, CloudWatch
from collectors._cloudwatch_usage import CloudWatchUsage, Namespace
from collectors._provider_account import Habits
from collectors._provider_buckets import Bucket, Unread, dimension, statement
from collectors._provider_pages import Row
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, Option, SourceConfig
from infertop.readings.figures import count
from infertop.readings.model import Statement

if TYPE_CHECKING:
    import httpx

    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

PROVIDER = "sagemaker"
_USUAL_SECONDS, _LEAST_SECONDS = 300.0, 60.0
FAMILIES = {
    "endpoints": Namespace(
        "AWS/SageMaker",
        ("EndpointName", "VariantName"),
        {"Invocations": "requests"},
        {"Invocation4XXErrors": "client errors", "Invocation5XXErrors": "server errors"},
    )
}


class _Say:
    """Makes statements of rows."""

    def __init__(self, config: SourceConfig) -> None:
        self._source = config.name

    def __call__(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        """Return how often a variant of an endpoint was asked in a bucket."""
        variant = dimension(row, "VariantName")
        said = statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=family,
            model=dimension(row, "EndpointName"),
            dimensions={"variant": variant} if variant else {},
            quantities={},
            requests=count(row["requests"], "Invocations"),
            number=number,
        )
        return said, ()


def reader(config: SourceConfig, access: Access, transport: httpx.AsyncBaseTransport | None = None) -> Collector:
    """Return the collector of a source; `transport` stands in for the network."""
    watch = Aws(access, SERVICE, config.url, transport=transport)
    habits = Habits(families=dict.fromkeys(FAMILIES, not_below(config, _LEAST_SECONDS)), lag_seconds=300.0)
    return CloudReader(config, watch, CloudWatchUsage(CloudWatch(watch), FAMILIES, _Say(config)), habits)


def _make(config: SourceConfig, _http: Http | None, _clock: Clock) -> Collector:
    return reader(config, Access(config))


KIND = Kind(
    name="sagemaker",
    help="Amazon SageMaker's requests by endpoint through CloudWatch; its instances' hours are a [[deployment]]",
    make=_make,
    options=tuple(Option(*each) for each in OPTIONS),
    least_seconds=_USUAL_SECONDS,
    api=Api(
        "https://monitoring.REGION.amazonaws.com", (), what="AWS credentials", extra="aws", module="botocore.session"
    ),
)
