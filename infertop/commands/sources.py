"""Which sources are read: those of pricing.toml and the command line, and the machine itself; and their collectors."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infertop.commands.accounts import account_http, no_key_for
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, SourceConfig, State, Unavailable
from infertop.engine.origin import Origin
from infertop.engine.secrets import load_secret, redact
from infertop.engine.ssh_target import Target
from infertop.money.settings import Source
from infertop.money.source_section import is_loopback, source_id
from infertop.readings.safe import safe

if TYPE_CHECKING:
    from collectors.kind import Kind

# What pricing.toml may name already, and what later versions will read: such a source says so, and is no mistake.
PLANNED: tuple[str, ...] = ()

# What is read of this machine without being asked; AMD's GPUs only where there may be some.
MACHINE = ("nvml", "amd", "host")
_AMD_DRIVER = "/dev/kfd"
_NAME = re.compile(r"[^\s=]{1,100}")


class WrongUseError(Exception):
    """The command line cannot be followed; the text says what is wrong and what would be right."""


def from_option(text: str) -> SourceConfig:
    """Read one `--source [NAME=]KIND=URL`."""
    from collectors import KINDS  # the first paint waits for the collectors only where someone names one

    known = ", ".join(name for name, kind in KINDS.items() if kind.port or kind.fleet or kind.scheme == "ssh")
    name, kind, url = ["", *text.split("=", 1), ""][:3]
    words = text.split("=", 2)
    if len(words) == 3 and words[1] in KINDS:
        name, kind, url = words
    if kind not in KINDS or not url:
        raise WrongUseError(f'--source "{safe(redact(text), 120)}" must be [NAME=]KIND=URL with KIND one of: {known}')
    if name and not _NAME.fullmatch(name):
        raise WrongUseError(
            f'--source "{safe(redact(text), 120)}": the name must have no blanks and at most 100 characters'
        )
    try:
        (Target if KINDS[kind].scheme == "ssh" else Origin).parse(url)
    except ValueError as error:
        raise WrongUseError(f'--source "{safe(redact(text), 120)}": {error}') from None
    made = SourceConfig(kind=kind, name=name or source_id(kind, url), url=url)
    return as_its_kind(made, own_interval=False)


def from_settings(source: Source) -> SourceConfig:
    """Turn a [[source]] of pricing.toml into what a collector is made of."""
    made = SourceConfig(
        kind=source.kind,
        name=source.name,
        url=source.url,
        interval_seconds=source.interval_seconds or 1.0,
        gpus=source.gpus,
        counts=source.counts,
        key_env=source.key_env,
        key_file=source.key_file,
        options=dict(source.options),
        trusted=source.trusted,
    )
    return as_its_kind(made, own_interval=source.interval_seconds is not None)


def as_its_kind(config: SourceConfig, *, own_interval: bool) -> SourceConfig:
    """Return a source with what its kind says where nobody else did: how often it is read."""
    if not config.url and config.kind in MACHINE:
        return config
    from collectors import KINDS  # as above

    kind = KINDS.get(config.kind)
    if kind is None:
        return config
    seconds = config.interval_seconds if own_interval else max(config.interval_seconds, kind.least_seconds)
    return replace(config, interval_seconds=seconds)


def configured(
    sources: Iterable[Source], options: Iterable[str], interval: float | None, own_names: frozenset[str] = frozenset()
) -> list[SourceConfig]:
    """Return every source that someone named, and the machine's own; of two with the same name the first stands.

    `interval` (--interval) is that of every local meter; elsewhere the source's own comes first.
    """
    sources = tuple(sources)
    own_intervals = {each.name for each in sources if each.interval_seconds is not None}
    chosen: dict[str, SourceConfig] = {}
    for config in [*map(from_option, options), *map(from_settings, sources), *_machine()]:
        if interval and (config.name not in own_intervals or is_local(config, own_names)):
            config = as_its_kind(replace(config, interval_seconds=interval), own_interval=False)
        chosen.setdefault(config.name, config)
    return list(chosen.values())


def amd_driver() -> bool:
    """Say whether AMD's driver for computing is loaded here."""
    return os.path.exists(_AMD_DRIVER)


def amd_bindings() -> bool:
    """Say whether `amdsmi` can be imported, by which AMD's GPUs are read."""
    return importlib.util.find_spec("amdsmi") is not None


def _machine() -> Iterator[SourceConfig]:
    return (_own(kind) for kind in MACHINE if kind != "amd" or (amd_driver() and amd_bindings()))


def _own(kind: str) -> SourceConfig:
    return SourceConfig(kind=kind, name=kind, interval_seconds=2.0 if kind == "host" else 1.0)


def collector(config: SourceConfig, clock: Clock, kinds: Mapping[str, Kind] | None = None) -> Collector:
    """Make the collector of a source; raise Unavailable with a sentence where its key or an option is wrong."""
    from collectors import KINDS  # as above
    from infertop.engine.http import Http

    kinds = KINDS if kinds is None else kinds
    if config.kind not in kinds:
        raise Unavailable(f"this version of infertop cannot read {config.kind} yet", state=State.ABSENT)
    kind = kinds[config.kind]
    if kind.unread:
        raise Unavailable(kind.unread, state=State.ABSENT)
    http: Http | None = None
    if kind.api is not None and kind.api.key_env:
        http = account_http(config, kind.api)
    elif kind.api is not None:
        no_key_for(config)
    else:
        key = load_secret(config.key_env, config.key_file) if config.trusted else None
        http = Http(config.url, key=key) if config.url else None
    try:
        return kind.make(config, http, clock)
    except ValueError as error:
        raise Unavailable(str(error)) from None


def is_local(config: SourceConfig, own_names: frozenset[str]) -> bool:
    """Say whether what a source reads runs on this machine, whose addresses and names are `own_names`."""
    if not config.url or is_loopback(config.url):
        return True
    return (urlsplit(config.url).hostname or "").lower() in own_names


def same_place(one: SourceConfig, other: SourceConfig) -> bool:
    """Say whether two configurations read the same server as the same kind, or the same thing of this machine."""
    return bool(one.url) == bool(other.url) and source_id(one.kind, one.url) == source_id(other.kind, other.url)


def refuse_twins(configs: Iterable[SourceConfig]) -> None:
    """Raise WrongUseError where two sources read the same page of the same server, which would count it twice.

    Another path, key or option may be another thing there; a source with `counts = false` adds nothing.
    """
    seen: dict[tuple[object, ...], SourceConfig] = {}
    for config in configs:
        path = urlsplit(config.url).path.rstrip("/").removesuffix("/metrics").removesuffix("/v1")
        said = (config.key_env, config.key_file, sorted((name, str(text)) for name, text in config.options.items()))
        twin = seen.setdefault((source_id(config.kind, config.url), path, str(said)), config)
        if config.url and twin is not config and config.counts is not False and twin.counts is not False:
            raise WrongUseError(
                f"{safe(twin.name, 80)} and {safe(config.name, 80)} are the same server, {safe(config.url, 160)}: "
                "it would count twice, leave one of them out"
            )
