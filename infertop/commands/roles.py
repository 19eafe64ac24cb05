"""What sources are to the requests that they tell of: who serves them, passes them on, or logs them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from infertop.commands.sources import MACHINE
from infertop.engine.collector import SourceConfig
from infertop.history.notes import read_sources
from infertop.history.overlapping import Known
from infertop.money.overlap import Role


def role_of(kind: str) -> Role:
    """Return what sources of a kind are; one that this version does not know serves."""
    if kind in MACHINE:
        return Role.SERVES
    from collectors import KINDS  # commands that read the history alone do without where they can

    known = KINDS.get(kind)
    if known is not None and known.gateway:
        return Role.GATEWAY
    logs = known is not None and (known.folders is not None or known.observes)
    return Role.LOG if logs else Role.SERVES


def known_sources(configs: Iterable[SourceConfig], noted: Mapping[str, Known] | None = None) -> dict[str, Known]:
    """Return what is known of sources by their configurations; what was `noted` of a source of its kind still holds."""
    noted = noted or {}
    return {each.name: _known(each, noted.get(each.name)) for each in configs}


def noted_sources(connection: sqlite3.Connection) -> dict[str, Known]:
    """Return what was noted of all sources that were ever read."""
    noted = read_sources(connection)
    return {name: Known(Role(role), kind, counts) for name, (kind, counts, role) in noted.items()}


def _known(config: SourceConfig, noted: Known | None) -> Known:
    role = noted.role if noted is not None and noted.kind == config.kind else role_of(config.kind)
    return Known(role, config.kind, config.counts)
