"""What `infertop check` says of an account with a provider: where its key is, and how far its use was read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infertop.engine.collector import Health, SourceConfig
from infertop.history.catalog import plain
from infertop.readings.safe import safe
from infertop.views.once import timestamp
from infertop.views.wording import span

if TYPE_CHECKING:
    from collectors.kind import Api
    from infertop.readings.account import Account

_POWER = ", an admin key: it can change the organization, so use one that only reads, for infertop alone"
_FIRST = "SELECT min(start) FROM statements WHERE source = ?"


def key_words(config: SourceConfig, api: Api, environ: Mapping[str, str] = os.environ) -> str:
    """Say where the key of a source is taken from, by name alone: it is not read here; and what an admin key can do."""
    power = _POWER if "admin key" in api.what else ""
    if config.key_file:
        return f"key from the file {safe(config.key_file, 120)}{power}"
    names = [config.key_env] if config.key_env else list(api.key_env)
    there = [name for name in names if environ.get(name, "").strip()]
    if not names:
        return f"with {api.what}, wherever they are usually kept" if api.module else "no key is needed"
    if not there:
        return f"no key: {safe(', '.join(names), 120)} not set"
    return f"key from {safe(', '.join(there if api.pair else there[:1]), 120)}{power}"


def account_words(account: Account | None, first: float | None, now: float) -> Iterator[str]:
    """Yield how far use was read, and what the provider told of its account."""
    if account is None or account.complete_until is None:
        yield "no use was read whole yet"
    else:
        until = timestamp(account.complete_until)
        yield f"use is told whole until {until}, {span(max(0.0, now - account.complete_until))} ago"
    if first is not None:
        days = (now - first) / 86_400
        yield f"read back to {datetime.fromtimestamp(first, UTC):%d %b}, {days:.0f} days"
    told = [
        (len(account.allowances or ()), "limit"),
        (len(account.rate_limits or ()), "rate limit"),
        (len(account.balances or ()), "balance"),
    ] if account else []  # fmt: skip
    if said := ", ".join(f"{count} {what}{'s'[: count != 1]}" for count, what in told if count):
        yield said


def first_told(connection: sqlite3.Connection, source: str) -> float | None:
    """Return when the earliest use that a source told of began, in epoch seconds; None where it told none."""
    row = connection.execute(_FIRST, (plain(source),)).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def check_line(
    health: Health, config: SourceConfig, api: Api, account: Account | None, first: float | None, now: float
) -> str:
    """Return the line of an account."""
    said = [key_words(config, api), *(account_words(account, first, now) if health.good_ts is not None else ())]
    return f"               {'; '.join(said)}"
