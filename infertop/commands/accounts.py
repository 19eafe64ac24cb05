"""Accounts with providers: each whose key is in the environment is a source, unless one is configured."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.secrets import load_secret

if TYPE_CHECKING:
    from collectors.kind import Api, Kind
    from infertop.engine.http import Http
    from infertop.views.shapes import Searched


def accounts_here(environ: Mapping[str, str], configured: Collection[str]) -> list[SourceConfig]:
    """Return the sources whose keys are in the environment, except of the kinds that are configured."""
    found = [kind for kind in _kinds() if kind.name not in configured and _key_env(kind.api, environ)]
    return [SourceConfig(kind.name, kind.name, interval_seconds=kind.least_seconds) for kind in found]


def searched_accounts(environ: Mapping[str, str]) -> Searched:
    """Return where providers' keys were looked for and which are set, by name alone: no key is read."""
    from infertop.views.shapes import Searched

    names = [name for kind in _kinds() if kind.api for name in kind.api.key_env]
    there = [name for name in names if environ.get(name, "").strip()]
    return Searched("providers", " ".join(names), f"{', '.join(there)} set" if there else "not set")


def account_http(config: SourceConfig, api: Api, environ: Mapping[str, str] = os.environ) -> Http:
    """Return the way to a provider's API with its key; raise Unavailable where there is none."""
    from infertop.engine.http import Http

    if not config.trusted:
        raise Unavailable(f"{config.kind} needs a key, and this file may be anybody's: it gets none", state=State.AUTH)
    key_env = config.key_env or ("" if config.key_file else _key_env(api, environ))
    if not key_env and not config.key_file:
        names = " or ".join(api.key_env)
        sentence = f"{config.kind} needs {api.what}: set {names} in the environment, or key_env or key_file"
        raise Unavailable(sentence, state=State.AUTH)
    return Http(
        config.url or api.url,
        key=load_secret(key_env, config.key_file, environ),
        key_header=api.key_header,
        headers=dict(api.headers),
        timeout_seconds=api.timeout_seconds,
    )


def _kinds() -> Iterator[Kind]:
    from collectors import KINDS

    return (kind for kind in KINDS.values() if kind.api is not None)


def _key_env(api: Api | None, environ: Mapping[str, str]) -> str:
    return next((name for name in api.key_env if environ.get(name, "").strip()), "") if api else ""
