"""Gemini CLI's logs on this machine: a file a session, under tmp/<project>/chats/ of its folder.

Format: packages/core/src/services/chatRecordingService.ts (ConversationRecord, TokensSummary), described by ccusage.
What decides:

- A session is one JSON object that is written anew with each message, or, in newer versions, a line a message. The same
  message is told again with what it took by then: the largest stands.
- Thoughts come beside the output, tools' prompts beside the input. Cached tokens are part of the input where the total
  says so, else they come beside it.
- A sub-agent's session is in a folder named after the session that it worked for, and is told as part of that.
- The project is a hash of its folder, except where the folder's name is noted beside the sessions (`.project_root`).
- At its next start Gemini CLI deletes sessions that were resumed: what was read of them stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from collectors._agent_logs import LEAST_SECONDS, AgentLogs, Format, Log
from collectors._agent_places import FOLDERS, folders_of, home, listed
from collectors._log_file import LineLog, WholeLog, is_current
from collectors._log_lines import opened
from collectors._log_said import NotReadError, Whose, counts, digest, instant, statement, text
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

NAME = "Gemini CLI"
_MARKERS = (b'"tokens"', b'"sessionId"')
_TOKENS = ("input", "output", "cached", "thoughts", "tool")
_CHATS = "chats"
_ROOT_NOTE = ".project_root"
_MOST_ROOT_BYTES = 4096


class GeminiRecords:
    """The messages of one session's file; `context` has the session, its project and the model of before."""

    def __init__(self, source: str, path: str) -> None:
        self.context: dict[str, Any] = {}
        self._source = source
        self._file = os.path.splitext(os.path.basename(path))[0]
        folder, self._parent = os.path.dirname(path), ""
        if _is_of_sub_agent(path):
            folder, self._parent = os.path.split(folder)
        self._project = _project(os.path.dirname(folder))

    def say(self, record: Mapping[str, Any]) -> Iterable[Statement]:
        """Return what the messages of a session took, or one of its lines."""
        for name, key in (("session", "sessionId"), ("project", "projectHash")):
            if said := text(record.get(key)):
                self.context[name] = said
        messages = record.get("messages")
        every = messages if isinstance(messages, list) else [record]
        return [made for each in every if isinstance(each, dict) and (made := self._message(each))]

    def _message(self, message: Mapping[str, Any]) -> Statement | None:
        self.context["model"] = model = text(message.get("model")) or self.context.get("model", "")
        tokens = message.get("tokens")
        if message.get("type") != "gemini" or not isinstance(tokens, dict):
            return None
        counted = counts("gemini", _usage(tokens))
        if not any(counted.tokens.values()):
            return None
        session = self.context.get("session", self._file)
        return statement(
            Whose(
                self._source, "gemini-cli", self._parent or session, self._project or self.context.get("project", "")
            ),
            f"{session}/{text(message.get('id')) or digest(message.get('timestamp'), sorted(tokens.items()))}",
            instant(message.get("timestamp")),
            "google",
            model or None,
            counted,
            rank=1 + sum(counted.tokens.values()),
        )


def _usage(tokens: Mapping[str, Any]) -> dict[str, int]:
    """Return a summary of tokens as Gemini's API would say it, where cached tokens are part of the prompt."""
    found = {name: tokens.get(name) or 0 for name in _TOKENS}
    if not all(type(each) is int and 0 <= each <= 10**15 for each in found.values()):
        raise NotReadError("a count of tokens is no count")
    inside = tokens.get("total") == sum(found.values()) - found["cached"]
    return {
        "promptTokenCount": found["input"] + (0 if inside else found["cached"]),
        "cachedContentTokenCount": found["cached"],
        "candidatesTokenCount": found["output"],
        "thoughtsTokenCount": found["thoughts"],
        "toolUsePromptTokenCount": found["tool"],
    }


def _project(folder: str) -> str:
    """Return the folder that is noted as the project's; empty where none is."""
    try:
        with opened(os.path.join(folder, _ROOT_NOTE)) as file:
            return text((file.read(_MOST_ROOT_BYTES) or b"").decode("utf-8", "replace"))
    except OSError:
        return ""


def _is_of_sub_agent(path: str) -> bool:
    return os.path.basename(os.path.dirname(os.path.dirname(path))) == _CHATS and path.endswith(".jsonl")


def _wanted(path: str) -> bool:
    name = os.path.basename(path)
    return _is_of_sub_agent(path) or (name.startswith("session-") and name.endswith((".json", ".jsonl")))


def _log(path: str, bookmark: str, source: str) -> Log:
    records = GeminiRecords(source, path)
    return WholeLog(path, records) if path.endswith(".json") else LineLog(path, bookmark, records, _MARKERS)


FORMAT = Format(NAME, _wanted, _log, is_current)


def folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield where Gemini CLI keeps its logs."""
    said = environ.get("GEMINI_DATA_DIR", "").strip()
    if said:
        yield from listed(said)
        return
    base = environ.get("GEMINI_CLI_HOME", "").strip()
    yield os.path.join(base, ".gemini", "tmp") if base else home(environ, ".gemini", "tmp")


def _make(config: SourceConfig, _http: Http | None, _clock: Clock) -> AgentLogs:
    return AgentLogs(config, FORMAT, folders_of(config, folders(os.environ)))


KIND = Kind(
    name="gemini-cli",
    help="Gemini CLI's logs on this machine: tokens by model, project and session, at list prices",
    make=_make,
    options=(FOLDERS,),
    least_seconds=LEAST_SECONDS,
    folders=folders,
)
