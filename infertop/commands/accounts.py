"""Accounts with providers: each whose key is in the environment is a source, unless one is configured."""

from __future__ import annotations

import base64
import importlib.util
import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.secrets import Secret, load_secret

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
    admin = [name for name in there if "ADMIN" in name]
    found = f"{', '.join(there)} set" if there else "not set"
    if admin:
        found += f" ({', '.join(admin)}: admin keys can change the organization: restrict them to reading usage)"
    return Searched("providers", " ".join(names), found)


def account_http(config: SourceConfig, api: Api, environ: Mapping[str, str] = os.environ) -> Http:
    """Return the way to a provider's API with its key; raise Unavailable where there is none."""
    from infertop.engine.http import Http

    no_key_for(config)
    key_env = config.key_env or ("" if config.key_file else _key_env(api, environ))
    if not key_env and not config.key_file:
        names = (" and " if api.pair else " or ").join(api.key_env)
        sentence = f"{config.kind} needs {api.what}: set {names} in the environment, or key_env or key_file"
        raise Unavailable(sentence, state=State.AUTH)
    return Http(
        config.url or url_of(api, environ),
        key=_basic(config, api, environ) if api.pair else load_secret(key_env, config.key_file, environ),
        key_header=api.key_header,
        key_scheme="Basic" if api.pair else "Bearer",
        headers=dict(api.headers),
        timeout_seconds=api.timeout_seconds,
    )


def no_key_for(config: SourceConfig) -> None:
    """Raise Unavailable where a source may be anybody's: it gets no key, nor credentials that are found elsewhere."""
    if not config.trusted:
        raise Unavailable(f"{config.kind} needs a key, and this file may be anybody's: it gets none", state=State.AUTH)


def missing_extra(api: Api) -> str:
    """Return what must be installed to read this API, empty where nothing is missing. It loads nothing."""
    if not api.module:
        return ""
    try:
        there = importlib.util.find_spec(api.module.partition(".")[0]) is not None
    except ValueError:
        there = False
    return "" if there else f'pip install "infertop[{api.extra}]"'


def _kinds() -> Iterator[Kind]:
    from collectors import KINDS

    return (kind for kind in KINDS.values() if kind.api is not None)


def url_of(api: Api, environ: Mapping[str, str] = os.environ) -> str:
    """Return where an API is: the vendor's usual environment variable says so, else it is the public one."""
    return next((said for name in api.url_env if (said := environ.get(name, "").strip())), api.url)


def _key_env(api: Api | None, environ: Mapping[str, str]) -> str:
    """Return the variable that has the key, the first of both where it is a pair; empty where there is none."""
    there = [name for name in api.key_env if environ.get(name, "").strip()] if api else []
    return "" if not there or (api and api.pair and len(there) < len(api.key_env)) else there[0]


def _basic(config: SourceConfig, api: Api, environ: Mapping[str, str]) -> Secret:
    """Return a pair of keys as HTTP wants it: of the source's own variable or file ("public:secret"), else of two."""
    said = load_secret(config.key_env, config.key_file, environ)
    both = [said] if said else [load_secret(name, "", environ) for name in api.key_env]
    pair = ":".join(each.reveal() for each in both if each)
    if ":" not in pair:
        raise Unavailable(f"{config.kind} needs two keys in one: public:secret", state=State.AUTH)
    return Secret(base64.b64encode(pair.encode()).decode())
