"""The sections of pricing.toml: each is read by its own file, and here they become the settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from infertop.money import checks
from infertop.money.budget_section import read_alert, read_assignments, read_budgets
from infertop.money.deployment_section import read_deployments
from infertop.money.energy_section import read_energy
from infertop.money.model_section import read_models
from infertop.money.provider_section import read_providers
from infertop.money.rate_section import read_gpus, read_host
from infertop.money.schema import Key, Reader
from infertop.money.section_parts import as_it_is, name_of, no_two_names
from infertop.money.settings import UTC, Settings, Source
from infertop.money.source_section import read_source

_SECTIONS = ("gpu", "host", "energy", "model", "provider", "deployment", "budget", "assign", "alert", "source")
_TOP = {"timezone": Key(checks.zone)} | dict.fromkeys(_SECTIONS, Key(as_it_is))


def read_settings(reader: Reader, raw: Mapping[str, Any], kinds: Mapping[str, Collection[str]] | None) -> Settings:
    """Return what a parsed pricing.toml says; what is wrong with it is noted in `reader`, and left out."""
    top = reader.table(raw, (), _TOP)
    return Settings(
        zone=top.get("timezone", UTC),
        gpus=read_gpus(reader, raw.get("gpu")),
        host=read_host(reader, raw["host"]) if "host" in raw else None,
        energy=read_energy(reader, raw["energy"]) if "energy" in raw else None,
        models=read_models(reader, raw.get("model")),
        providers=read_providers(reader, raw.get("provider")),
        deployments=read_deployments(reader, raw),
        budgets=read_budgets(reader, raw.get("budget")),
        assignments=read_assignments(reader, raw.get("assign")),
        alert=read_alert(reader, raw.get("alert", {})),
        sources=_sources(reader, raw.get("source"), kinds),
    )


def _sources(reader: Reader, raw: object, kinds: Mapping[str, Collection[str]] | None) -> tuple[Source, ...]:
    stated = reader.tables(raw, ("source",))
    sources = [read_source(reader, each, path, kinds) for path, each in stated]
    no_two_names(
        reader,
        "source",
        [read.name if read else name_of(each) for read, (_, each) in zip(sources, stated, strict=True)],
    )
    return tuple(filter(None, sources))
