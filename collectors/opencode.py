"""OpenCode's messages on this machine: its SQLite database, and the files that older versions wrote, one a message.

Format: packages/opencode/src/session (MessageV2.Assistant), described by ccusage. What decides:

- `tokens.input` is without the cache; reasoning comes beside the output, unless the total says that it is part of it.
- A message is there from its beginning, with no tokens, and gets them at its end.
- `cost` is OpenCode's own estimate, and 0 where it is paid for by a subscription or its price is not known.
- A message that is in the database and in a file is one: the database's.
- A forked session begins with copies of its parent's messages. Their ids are new and say when they were copied, in
  milliseconds, while the time in them is the original's; else both are the same moment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from collectors._agent_logs import LEAST_SECONDS, AgentLogs, Format, Log
from collectors._agent_places import FOLDERS, folders_of, home, listed
from collectors._log_database import DatabaseLog
from collectors._log_file import WholeLog, is_current
from collectors._log_said import NotReadError, Whose, inner, instant, stated_usd, statement, text
from collectors._log_tree import DATABASE
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig
from infertop.readings.breakdown import Breakdown
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

NAME = "OpenCode"
_IN_DATABASE = 1 << 60
_MOST_TOKENS = (1 << 59) - 1
_ID = re.compile(r"msg_([0-9a-f]{9})[0-9a-f]{3}[0-9A-Za-z]{14}")
_ID_MS = 1 << 36  # an id has the last bits of its time alone
_COPIED_MS = 1000
_MESSAGES = ("/storage", "/storage/message")


class OpenCodeRecords:
    """Messages, each whole: of a file, or of a row, of which the columns are in the record too."""

    def __init__(self, source: str, session: str = "", rank: int = 0) -> None:
        self.context: dict[str, Any] = {}
        self._source = source
        self._session = session
        self._rank = rank

    def say(self, record: Mapping[str, Any]) -> Iterable[Statement]:
        """Return what an assistant's message took; nothing for others, and before it is known."""
        tokens = record.get("tokens")
        if record.get("role", record.get("type")) != "assistant" or not isinstance(tokens, dict):
            return ()
        counted, usd_nano = _counted(tokens), stated_usd(record.get("cost"))
        identity = text(record.get("id"))
        if not any(counted.tokens.values()) and usd_nano is None:
            return ()
        if not identity:
            raise NotReadError("a message has no id")
        created = instant(inner(record, "time", "created"))
        if _is_copy(identity, created):
            return ()
        root = text(inner(record, "path", "root"))
        project = root if root.strip("/") else text(inner(record, "path", "cwd"))
        return (
            statement(
                Whose(self._source, "opencode", text(record.get("sessionID")) or self._session, project),
                identity,
                created,
                text(record.get("providerID")) or text(inner(record, "model", "providerID")) or "unknown",
                text(record.get("modelID")) or text(inner(record, "model", "id")) or None,
                counted,
                rank=1 + self._rank + min(sum(counted.tokens.values()), _MOST_TOKENS),
                usd_nano=usd_nano,
                basis="computed" if usd_nano is None else "estimated",
            ),
        )


def _is_copy(identity: str, created: float) -> bool:
    """Say whether a message was made long after what it tells of."""
    made = _ID.fullmatch(identity)
    return made is not None and _COPIED_MS < (int(made[1], 16) - round(created * 1000)) % _ID_MS < _ID_MS // 2


def _counted(tokens: Mapping[str, Any]) -> Breakdown:
    said = {
        "input": tokens.get("input"),
        "cache_read": inner(tokens, "cache", "read"),
        "cache_write_5m": inner(tokens, "cache", "write"),
        "output": tokens.get("output"),
        "reasoning": tokens.get("reasoning"),
    }
    found = {name: value or 0 for name, value in said.items()}
    if not all(type(each) is int and 0 <= each <= 10**15 for each in found.values()):
        raise NotReadError("a count of tokens is no count")
    if tokens.get("total") == sum(found.values()) - found["reasoning"] and found["reasoning"] <= found["output"]:
        found["output"] -= found["reasoning"]
    return Breakdown(found)


def _wanted(path: str) -> bool:
    if path.endswith(DATABASE):
        return os.path.basename(path).startswith("opencode")
    return path.endswith(".json") and os.path.dirname(os.path.dirname(path)).endswith(_MESSAGES[1])


def _enters(path: str) -> bool:
    return any(path.endswith(end) for end in _MESSAGES) or os.path.dirname(path).endswith(_MESSAGES[1])


def _log(path: str, bookmark: str, source: str) -> Log:
    if path.endswith(DATABASE):
        return DatabaseLog(path, bookmark, OpenCodeRecords(source, rank=_IN_DATABASE))
    return WholeLog(path, OpenCodeRecords(source, os.path.basename(os.path.dirname(path))))


FORMAT = Format(NAME, _wanted, _log, is_current, _enters)


def folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield where OpenCode keeps its database, then where older versions kept their messages."""
    said, data = environ.get("OPENCODE_DATA_DIR", "").strip(), environ.get("XDG_DATA_HOME", "").strip()
    usual = os.path.join(data, "opencode") if os.path.isabs(data) else home(environ, ".local", "share", "opencode")
    yield from listed(said) if said else (usual,)


def _make(config: SourceConfig, _http: Http | None, _clock: Clock) -> AgentLogs:
    return AgentLogs(config, FORMAT, folders_of(config, folders(os.environ)))


KIND = Kind(
    name="opencode",
    help="OpenCode's messages on this machine: tokens and its own estimate of the cost, by model, project and session",
    make=_make,
    options=(FOLDERS,),
    least_seconds=LEAST_SECONDS,
    folders=folders,
)
