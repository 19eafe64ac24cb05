"""Agents whose logs are on this machine: each whose folders are there is a source, unless one is configured."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from collectors import KINDS
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig
from infertop.views.shapes import Searched


def agents_here(environ: Mapping[str, str], configured: Collection[str]) -> list[SourceConfig]:
    """Return the sources whose folders are there, except of the kinds that are configured. It reads the disk."""
    wanted = (kind for kind in _kinds() if kind.name not in configured)
    found = [kind for kind in wanted if any(map(os.path.isdir, _folders(kind, environ)))]
    return [SourceConfig(kind.name, kind.name, interval_seconds=kind.least_seconds) for kind in found]


def searched_agents(environ: Mapping[str, str], read: Collection[str]) -> Searched:
    """Return where agents' logs were looked for, and whose are there; `read` are the kinds that are read."""
    where = ", ".join(_short(folder, environ) for kind in _kinds() for folder in _folders(kind, environ))
    there = ", ".join(kind.name for kind in _kinds() if kind.name in read)
    return Searched("agents", where, f"{there} found" if there else "not found")


def _kinds() -> Iterator[Kind]:
    return (kind for kind in KINDS.values() if kind.folders is not None)


def _folders(kind: Kind, environ: Mapping[str, str]) -> list[str]:
    return [folder for folder in kind.folders(environ) if folder] if kind.folders else []


def _short(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "").rstrip("/")
    return "~" + path[len(home) :] if home and path.startswith(home + "/") else path
