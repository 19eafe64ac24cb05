"""SageMaker's endpoints tell how often they were asked, by variant; what failed is said."""

from __future__ import annotations

import httpx

from collectors.sagemaker import reader
from tests.collectors.aws_world import CloudWatchWorld, FakeAccess, config
from tests.collectors.provider_world import NOW, first

AT = int(NOW // 60 * 60) - 600


async def test_requests_are_told_by_endpoint_and_variant_alone():
    cloud = CloudWatchWorld("AWS/SageMaker")
    cloud.add("Invocations", {AT: 40, AT + 60: 2}, EndpointName="llama", VariantName="green")
    cloud.add("Invocations", {AT: 7}, EndpointName="llama", VariantName="blue")
    cloud.add("Invocation5XXErrors", {AT: 3, AT + 60: 0}, EndpointName="llama", VariantName="green")
    cloud.add("Invocations", {AT: 49}, EndpointName="llama")
    cloud.add("ModelLatency", {AT: 1_000_000}, EndpointName="llama", VariantName="green")
    batch = await first(reader(config("sagemaker"), FakeAccess(), httpx.MockTransport(cloud)))
    said = {(each.model, each.dimensions["variant"], each.start): each.requests for each in batch.statements}
    assert said == {("llama", "green", AT): 40, ("llama", "green", AT + 60): 2, ("llama", "blue", AT): 7}
    assert all(not each.quantities and each.usd_nano is None for each in batch.statements)
    assert "in the last two hours: llama green: 3 server errors" in batch.notes
