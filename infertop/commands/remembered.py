"""The engines that were found on this machine, kept from run to run: one that has moved meanwhile is still known."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infertop.commands.finding import Finding
from infertop.engine.found import Found
from infertop.history.open import Store
from infertop.history.reader import Reader, Unreadable
from infertop.history.recorder import Recorder

KIND = "engines"
_MOST = 200
_log = logging.getLogger(__name__)


def engines_known(store: Store) -> tuple[Found, ...]:
    """Return the engines that earlier runs found. It reads the disk; what cannot be read is not remembered."""
    try:
        with Reader(store.uri) as reader:
            return reader.ask(_read)
    except Unreadable as error:
        _log.warning("%s", error)
        return ()


def recall(engines: Sequence[Found], recorder: Recorder, finding: Finding | None) -> None:
    """Let a search know the engines of earlier runs; what is known is noted again, as notes last for one session."""
    recorder.put_inventory(KIND, as_rows(engines))
    if finding is not None:
        finding.recall(engines, lambda known: recorder.put_inventory(KIND, as_rows(known)))


def as_rows(engines: Iterable[Found]) -> list[dict[str, object]]:
    """Return what is kept of engines: by what each would be known again."""
    kept = list(engines)[-_MOST:]
    return [
        {"name": each.name, "kind": each.kind, "url": each.url, "model": each.model, "gpus": list(each.gpus)}
        for each in kept
    ]


def _read(connection: sqlite3.Connection) -> tuple[Found, ...]:
    row = connection.execute("SELECT content FROM inventory WHERE kind = ?", (KIND,)).fetchone()
    try:
        rows = json.loads(row[0]) if row else []
    except ValueError:
        return ()
    try:
        return tuple(_found(row) for row in rows)
    except (AttributeError, KeyError, TypeError):
        return ()  # another version's


def _found(row: Mapping[str, Any]) -> Found:
    return Found(row["name"], row["kind"], row["url"], None, row["model"], tuple(row["gpus"]))
