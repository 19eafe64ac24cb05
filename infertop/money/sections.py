"""The sections of pricing.toml: each is read by its own file, and here they become the settings.

A section's file is loaded where the section is: the first paint waits for none that nobody wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from infertop.money import checks
from infertop.money.schema import Key, Reader
from infertop.money.section_parts import as_it_is, name_of, no_two_names
from infertop.money.settings import Settings, Source
from infertop.money.source_section import read_source

_SECTIONS = ("gpu", "host", "energy", "model", "provider", "deployment", "budget", "assign", "alert", "source")
_TOP = {"timezone": Key(checks.zone)} | dict.fromkeys(_SECTIONS, Key(as_it_is))


def read_settings(reader: Reader, raw: Mapping[str, Any], kinds: Mapping[str, Collection[str]] | None) -> Settings:
    """Return what a parsed pricing.toml says; what is wrong with it is noted in `reader`, and left out."""
    top = reader.table(raw, (), _TOP)
    said: dict[str, Any] = {"zone": top.get("timezone")} if "timezone" in top.values else {}
    said |= _rates(reader, raw) | _prices(reader, raw)
    said |= _limits(reader, raw)
    if "deployment" in raw:
        from infertop.money.deployment_section import read_deployments

        said["deployments"] = read_deployments(reader, raw)
    return Settings(sources=_sources(reader, raw.get("source"), kinds), **said)


def _rates(reader: Reader, raw: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "gpu" in raw or "host" in raw:
        from infertop.money.rate_section import read_gpus, read_host

        said["gpus"] = read_gpus(reader, raw.get("gpu"))
        said["host"] = read_host(reader, raw["host"]) if "host" in raw else None
    if "energy" in raw:
        from infertop.money.energy_section import read_energy

        said["energy"] = read_energy(reader, raw["energy"])
    return said


def _prices(reader: Reader, raw: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "model" in raw:
        from infertop.money.model_section import read_models

        said["models"] = read_models(reader, raw["model"])
    if "provider" in raw:
        from infertop.money.provider_section import read_providers

        said["providers"] = read_providers(reader, raw["provider"])
    return said


def _limits(reader: Reader, raw: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "budget" in raw or "assign" in raw:
        from infertop.money.budget_section import read_assignments, read_budgets

        said["budgets"] = read_budgets(reader, raw.get("budget"))
        said["assignments"] = read_assignments(reader, raw.get("assign"))
    if "alert" in raw:
        from infertop.money.alert_section import read_alert

        said["alert"] = read_alert(reader, raw["alert"])
    return said


def _sources(reader: Reader, raw: object, kinds: Mapping[str, Collection[str]] | None) -> tuple[Source, ...]:
    stated = reader.tables(raw, ("source",))
    sources = [read_source(reader, each, path, kinds) for path, each in stated]
    no_two_names(
        reader,
        "source",
        [read.name if read else name_of(each) for read, (_, each) in zip(sources, stated, strict=True)],
    )
    return tuple(filter(None, sources))
