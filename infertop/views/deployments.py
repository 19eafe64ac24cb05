"""A row for each deployment that pricing.toml declares, and how its figures were come by."""

from __future__ import annotations

from dataclasses import fields, replace

from infertop.money.deployments.booked import running
from infertop.money.deployments.declared import Deployment, Provisioned, Serverless
from infertop.views.deployment_batch import batch_row
from infertop.views.deployment_provisioned import provisioned_row
from infertop.views.deployment_serverless import serverless_row
from infertop.views.deployment_words import existence
from infertop.views.facts import Facts
from infertop.views.origin import origin
from infertop.views.shapes import DeploymentRow, Explained, ModelRow

_TITLES = {
    "usd_per_hour": "$/h",
    "usd_per_million_tokens": "$/1M tokens",
    "utilization": "utilisation",
    "break_even": "break-even",
}


def deployment_rows(facts: Facts, models: tuple[ModelRow, ...]) -> tuple[DeploymentRow, ...]:
    """Return the deployments that exist now, in the order of pricing.toml; `models` are those of the live view."""
    settings = facts.prices.settings
    rows = ((each, _row(facts, each, models)) for each in running(settings.deployments, facts.now, settings.zone))
    return tuple(
        replace(row, lines=(*row.lines, *_age(facts, row), *existence(each, settings.zone))) for each, row in rows
    )


def _age(facts: Facts, row: DeploymentRow) -> tuple[str, ...]:
    return (f"price: {origin(facts, row.price_source)}",) if row.price_source else ()


def _row(facts: Facts, each: Deployment, models: tuple[ModelRow, ...]) -> DeploymentRow:
    terms = each.terms
    if isinstance(terms, Provisioned):
        return provisioned_row(facts, each, terms, models)
    if isinstance(terms, Serverless):
        return serverless_row(facts, each, terms, models)
    return batch_row(facts, each, terms)


def deployment_figures(row: DeploymentRow | None) -> dict[str, Explained]:
    """Return how the figures of a deployment were come by, by column; none where there is no such deployment.

    What a deployment costs, uses and breaks even at hang together: each column tells all of it.
    """
    if row is None:
        return {}
    said = (row.verdict, *row.lines)
    return {each.name: Explained(f"{row.name} {_TITLES.get(each.name, '')}".strip(), said) for each in fields(row)}
