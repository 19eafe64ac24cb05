"""Azure OpenAI: tokens and requests of a resource by deployment and model, minutes old, and its daily bills.

Azure Monitor knows no keys and no users, and tells no cached tokens: prompts are counted as fresh, so their cost is an
upper bound where prompts repeat. Provisioned throughput costs by the hour, not by the token: see `[[deployment]]`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from collectors._azure import AzureAccess
from collectors._azure_costs import AzureCosts
from collectors._azure_usage import FAMILY, NAMES, PROVIDER, AzureUsage
from collectors._cloud_api import CloudApi
from collectors._cloud_reader import CloudReader, flag, not_below, word
from collectors._provider_account import Habits
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, Option, SourceConfig

if TYPE_CHECKING:
    import httpx

    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://management.azure.com"
_LEAST_SECONDS = 60.0
_RESOURCE = re.compile(
    r"/subscriptions/[\w-]{1,64}/resourceGroups/[\w.()-]{1,90}/providers/Microsoft\.CognitiveServices/accounts/[\w.-]{1,64}",
    re.ASCII | re.IGNORECASE,
)
_ADVICE = "they need the role Monitoring Reader on the resource (Cost Management Reader for cost_management)"


def reader(config: SourceConfig, access: AzureAccess, transport: httpx.AsyncBaseTransport | None = None) -> Collector:
    """Return the collector of a source; `transport` stands in for the network. Raise ValueError for a wrong option."""
    resource = word(config, "resource", needed=True).rstrip("/")
    if not _RESOURCE.fullmatch(resource):
        raise ValueError(
            f"{config.name}: resource must be the id of an Azure OpenAI resource, "
            '"/subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/NAME"'
        )
    names = NAMES.get(word(config, "metrics") or "openai")
    if names is None:
        raise ValueError(f'{config.name}: metrics must be "openai" or "models"')
    api = CloudApi(config.url or _URL, access, "Azure Monitor", _ADVICE, transport)
    usage = AzureUsage(config, api, resource, names)
    habits = Habits(
        families={FAMILY: not_below(config, _LEAST_SECONDS)},
        chores={"costs": 3600.0, "provisioned": 300.0},
        lag_seconds=300.0,
    )
    bills = None
    if flag(config, "cost_management"):
        costs = CloudApi(config.url or _URL, access, "Azure's Cost Management", _ADVICE, transport)
        bills = AzureCosts(config, costs, resource, PROVIDER)
    return CloudReader(config, api, usage, habits, bills, {"provisioned": usage.provisioned})


def _make(config: SourceConfig, _http: Http | None, clock: Clock) -> Collector:
    return reader(config, AzureAccess(config.kind, clock))


KIND = Kind(
    name="azure",
    help="Azure OpenAI's tokens and requests by deployment and model, through Azure Monitor",
    make=_make,
    options=(
        Option("resource", "the resource's id: /subscriptions/…/Microsoft.CognitiveServices/accounts/NAME"),
        Option(
            "metrics", '"openai" (the usual), or "models": the names that models of other vendors are counted under'
        ),
        Option("cost_management", "true: read Azure's daily bills too, once a day"),
    ),
    least_seconds=_LEAST_SECONDS,
    api=Api(_URL, (), what="Azure credentials", extra="azure", module="azure.identity"),
)
