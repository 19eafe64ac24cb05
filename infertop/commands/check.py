"""`infertop check`: the configuration and every source, one line each with what to do; nothing is recorded."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from collectors import KINDS
from collectors.kind import Kind
from infertop.commands.account_check import check_line, first_told
from infertop.commands.accounts import missing_extra
from infertop.commands.alert_check import alert_lines
from infertop.commands.book import book_of
from infertop.commands.session import Session
from infertop.commands.setup import Setup, setup_or_status
from infertop.commands.sources import MACHINE, PLANNED
from infertop.commands.suspect import suspect
from infertop.engine.collector import State
from infertop.history.bookmarks import Bookmarks, read_bookmarks
from infertop.history.check import newer
from infertop.history.files import is_written, writer_pid
from infertop.history.open import open_memory
from infertop.history.reader import Reader, Unreadable
from infertop.readings.safe import safe
from infertop.views.gpu_rows import gpu_rows

_POLL_SECONDS = 3.0
_FIND_SECONDS = 5.0
_MOST_NAMED = 8


def run(options: Namespace) -> int:
    """Print the lines; status 1 where a source that was configured cannot be read."""
    if options.kinds:
        for line in _kinds():
            print(line)
        return 0
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    lines, good = asyncio.run(_check(setup))
    for line in lines:
        print(line)
    return 0 if good else 1


def _kinds() -> Iterator[str]:
    width = max(map(len, KINDS))
    for name, kind in KINDS.items():
        yield f"{name:<{width}} {_where(kind):<30} {kind.help}"
        if kind.api and (install := missing_extra(kind.api)):
            yield f"{'':<{width}} {'needs':<30} {install}"
        options = {option.name: option.help for option in kind.options}
        if kind.api and kind.api.key_env and not kind.unread:
            options["key_env"] = f"the variable with {kind.api.what}, if not {kind.api.key_env[0]}"
        for option, said in options.items():
            yield f"{'':<{width}} {'option ' + option:<30} {said}"
    if planned := [name for name in PLANNED if name not in KINDS]:
        yield f"not yet in this version: {', '.join(planned)}"


def _where(kind: Kind) -> str:
    if kind.api:
        return kind.api.url or "-"
    if kind.scheme == "ssh":
        return "ssh://USER@HOST"
    if kind.fleet:
        return "http://HOST:9090"
    return f"http://HOST:{kind.port}{kind.path}" if kind.port else "this machine"


async def _check(setup: Setup) -> tuple[list[str], bool]:
    session = await Session.open(setup, await asyncio.to_thread(open_memory, "a check keeps nothing"))
    try:
        session.roster.bookmarks, unread = await asyncio.to_thread(_read_before, setup)
        await session.polling.poll_once_all(_POLL_SECONDS)
        await session.look(_FIND_SECONDS)
        await session.polling.poll_once_all(_POLL_SECONDS)
        if session.recorder is not None:
            await asyncio.to_thread(session.recorder.flush, 1.0)
        lines = [*_configuration(setup, unread), *_sources(session, setup), *_gpus(session), *_searched(session)]
        return lines, _good(session)
    finally:
        await session.close()


def _read_before(setup: Setup) -> tuple[Bookmarks, str]:
    """Return how far sources were read: what the database has is not to be read back; or why that cannot be known.

    It reads the disk.
    """
    if not setup.database.exists():
        return {}, ""
    try:
        with Reader(setup.database) as reader:
            said = reader.ask(newer)
            of_later = f"it was written by a newer infertop ({said}): this one only reads it, upgrade it to record"
            return reader.ask(read_bookmarks), of_later if said else ""
    except Unreadable as error:
        return {}, str(error)


def _configuration(setup: Setup, unread: str) -> Iterable[str]:
    loaded = setup.watcher.current
    yield f"configuration  {safe(loaded.path) if loaded.path else 'none: defaults'}"
    for notice in loaded.notices:
        yield f"               ! {safe(notice)}"
    for sentence in suspect(book_of(loaded.settings), setup.clock.now()):
        yield f"               ! {safe(sentence)}"
    settings = loaded.settings
    yield (
        f"               {len(settings.gpus)} GPU rates, {len(settings.models)} model prices, "
        f"{len(settings.budgets)} budgets, {len(settings.sources)} sources, time zone {settings.zone}"
    )
    if settings.providers or settings.deployments:
        yield f"               {len(settings.providers)} negotiated rates, {len(settings.deployments)} deployments"
    yield from map(safe, alert_lines(settings.alert))
    path = setup.database
    state = f"written by process {writer_pid(path)}" if path.exists() and is_written(path) else "not in use"
    size = f"{path.stat().st_size / 1e6:.1f} MB, {state}" if path.exists() else "not there yet"
    yield f"database       {safe(path)}  ({size})"
    if unread:
        yield f"               ! {safe(unread)}"


def _sources(session: Session, setup: Setup) -> Iterable[str]:
    configs, histories = session.roster.every(), (session.store.uri, setup.database)
    for health in session.facts().healths:
        said = health.detail or (f"read in {health.seconds * 1000:.0f} ms" if health.seconds is not None else "")
        models = _some(session.facts().meters.models(health.source))
        yield f"source         {safe(health.source, 60)}  {health.state}  {models and models + ': '}{safe(said)}"
        kind, config = KINDS.get(health.kind), configs.get(health.source)
        if kind is not None and kind.api is not None and not kind.unread and config is not None:
            first = min(filter(None, (_first_told(each, health.source) for each in histories)), default=None)
            account = session.summary.accounts.get(health.source)
            yield check_line(health, config, kind.api, account, first, session.clock.now())


def _first_told(where: Path | str, source: str) -> float | None:
    try:
        with Reader(where) as reader:
            return reader.ask(first_told, source)
    except Unreadable:
        return None


def _some(models: Sequence[str]) -> str:
    """Return the names of some models and how many more there are: a line is to be read."""
    more = len(models) - _MOST_NAMED
    return ", ".join(safe(model, 60) for model in models[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _gpus(session: Session) -> Iterable[str]:
    for row in gpu_rows(session.facts()):
        price = f"{row.usd_per_hour:.2f} $/h" if row.usd_per_hour is not None else safe(row.price_note)
        holders = ", ".join(safe(model, 60) for model in row.models) or "nobody that infertop knows"
        yield f"gpu {row.index:<10} {safe(row.name, 60)}  {price}  {safe(row.price_source)}  held by {holders}"


def _searched(session: Session) -> Iterable[str]:
    for each in session.facts().searched:
        yield "looked for     " + ": ".join(safe(said) for said in (each.what, each.where, each.found) if said)


def _good(session: Session) -> bool:
    accounts = {name for name, kind in KINDS.items() if kind.api is not None}
    return all(
        health.state is State.UP or (health.state is State.ABSENT and health.kind in accounts)
        for health in session.facts().healths
        if health.kind not in MACHINE
    )
