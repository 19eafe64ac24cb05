"""[[source]]: where to read, with which key, never the key itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlsplit

from infertop.money import checks
from infertop.money.schema import Check, Key, Reader, Table
from infertop.money.settings import Source
from infertop.money.toml_lines import Path

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})
_PORTS = {"http": 80, "https": 443, "ssh": 22}
_SECRETS = frozenset(
    {"key", "api_key", "apikey", "admin_key", "token", "secret", "password", "bearer", "authorization"}
)
_SOURCE = {
    "kind": Key(checks.text, required=True),
    "name": Key(checks.text),
    "url": Key(checks.url),
    "gpus": Key(checks.list_of(checks.text, most=1024)),
    "interval": Key(checks.number(least=Decimal("0.1"), most=Decimal(86400))),
    "key_env": Key(checks.environment_variable),
    "key_file": Key(checks.text),
    "counts": Key(checks.flag),
}


def read_source(reader: Reader, raw: object, path: Path, kinds: Mapping[str, Collection[str]] | None) -> Source | None:
    """Read one [[source]]; `kinds` maps each kind to the options that it takes besides the common keys (None: any)."""
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if kinds is None:
        names = set(raw) if isinstance(raw, dict) else set()
        known: Check = checks.text
    else:
        names = _options(kind, kinds)
        known = checks.choice(sorted(kinds))
    keys = {name: Key(_plain) for name in names} | _SOURCE | {"kind": Key(known, required=True)}
    table = reader.table(raw, path, keys, _no_key_here)
    return _setting(reader, table) if table.good and _keyed_well(reader, table) else None


def _options(kind: object, kinds: Mapping[str, Collection[str]]) -> set[str]:
    """Return the options of `kind`; of all kinds where it is not known, so that one mistake is told once."""
    if isinstance(kind, str) and kind in kinds:
        return set(kinds[kind])
    return {name for options in kinds.values() for name in options}


def _plain(value: object) -> object:
    """Take any value; numbers with a point become float, which is what collectors reckon with."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return tuple(_plain(each) for each in value)
    return value


def _no_key_here(name: str, _value: object) -> str:
    return "; never the key itself: use key_env or key_file" if name.lower().replace("-", "_") in _SECRETS else ""


def _keyed_well(reader: Reader, table: Table) -> bool:
    keyed = table.given("key_env", "key_file")
    by_ssh = table.get("url", "").startswith("ssh:")
    if by_ssh != (table.get("kind") == "ssh") and "url" in table.values:
        wanted = 'like "ssh://user@host" for ssh' if not by_ssh else 'http or https for every kind but "ssh"'
        reader.wrong((*table.path, "url"), f"must be {wanted}")
    elif keyed and by_ssh:
        reader.wrong(table.path, "has a key: ssh takes its own from ~/.ssh or an agent")
    elif len(keyed) == 2:
        reader.wrong(table.path, "has key_env and key_file: keep one")
    elif keyed and "url" in table.values and not _safe_for_keys(table.get("url")):
        reader.wrong((*table.path, "url"), "must be https, or http on this machine, because a key is sent to it")
    else:
        return True
    return False


def _safe_for_keys(url: str) -> bool:
    return urlsplit(url).scheme == "https" or is_loopback(url)


def _setting(reader: Reader, table: Table) -> Source:
    interval = table.get("interval")
    return Source(
        name=table.get("name") or source_id(table.get("kind"), table.get("url", "")),
        where=reader.where(table.path),
        interval_seconds=None if interval is None else float(interval),
        options={name: value for name, value in table.values.items() if name not in _SOURCE},
        **table.given("kind", "url", "gpus", "key_env", "key_file", "counts"),
    )


@lru_cache(maxsize=4096)
def is_loopback(url: str) -> bool:
    """Tell whether `url` leads to this machine."""
    host = (urlsplit(url).hostname or "").lower()
    return host in _LOOPBACK or (host.startswith("127.") and host.replace(".", "").isdigit())


def source_id(kind: str, url: str) -> str:
    """Return the id of a source without a name: kind@host:port, loopback spelt 127.0.0.1; the kind without a URL."""
    if not url:
        return kind
    parts = urlsplit(url)
    host = "127.0.0.1" if is_loopback(url) else (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    return f"{kind}@{host}:{parts.port or _PORTS.get(parts.scheme, 0)}"
