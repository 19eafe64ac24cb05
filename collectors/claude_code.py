"""Claude Code's logs on this machine: a file a session, a line a message, under projects/ of its folders.

Format: as the program writes it, described by ccusage. What decides:

- A response is several lines with the same message id: the input is repeated and the output grows, the largest is true.
- A resumed session has the lines of the one before it again, and a sub-agent (`isSidechain`) may replay its parent's
  messages under other request ids: the message's id alone tells requests apart, and the parent's line is the true one.
- Where the tokens written to the cache are told by lifetime, those are true, not the flat figure.
- `costUSD` is only in old files. Whoever pays by a subscription pays something else than these tokens' list price.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from collectors._agent_logs import LEAST_SECONDS, AgentLogs, Format, Log
from collectors._agent_places import FOLDERS, folders_of, home, listed
from collectors._log_file import LineLog, is_current, of_lines
from collectors._log_said import (
    Whose,
    counts,
    digest,
    inner,
    instant,
    stated_usd,
    statement,
    text,
)
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig
from infertop.readings.breakdown import Breakdown
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

NAME = "Claude Code"
_MARKERS = (b'"usage"',)
_PARENT = 1 << 60
_MOST_TOKENS = (1 << 59) - 1
_SYNTHETIC = "<synthetic>"
# Message ids tell through whom Anthropic's models were reached.
_PROVIDERS = {"msg_bdrk_": "aws", "msg_vrtx_": "google"}


class ClaudeRecords:
    """The messages of one session's file."""

    def __init__(self, source: str, path: str) -> None:
        self.context: dict[str, Any] = {}
        self._source = source
        self._file = os.path.splitext(os.path.basename(path))[0]

    def say(self, record: Mapping[str, Any]) -> Iterable[Statement]:
        """Return what an assistant's message took, nothing for other lines."""
        message = record.get("message")
        usage = inner(message, "usage")
        if record.get("type", "assistant") != "assistant" or not isinstance(usage, dict):
            return ()
        model = text(inner(message, "model"))
        counted = counts("anthropic", _usage(usage))
        if model == _SYNTHETIC or not any((*counted.tokens.values(), *counted.calls.values())):
            return ()
        return (self._statement(record, message, usage, model, counted),)

    def _statement(
        self, record: Mapping[str, Any], message: object, usage: Mapping[str, Any], model: str, counted: Breakdown
    ) -> Statement:
        identity = text(inner(message, "id"))
        key = identity or text(record.get("requestId")) or text(record.get("uuid")) or digest(self._file, record)
        tier, speed = text(usage.get("service_tier")), text(usage.get("speed"))
        parent = 0 if record.get("isSidechain") is True else _PARENT
        usd_nano = stated_usd(record.get("costUSD"))
        return statement(
            Whose(self._source, "claude-code", text(record.get("sessionId")) or self._file, text(record.get("cwd"))),
            key,
            instant(record.get("timestamp")),
            _provider(identity, model),
            model or None,
            counted,
            rank=1 + parent + min(sum(counted.tokens.values()), _MOST_TOKENS),
            usd_nano=usd_nano,
            basis="computed" if usd_nano is None else "estimated",
            service_tier="" if tier == "standard" else tier,
            speed="" if speed == "standard" else speed,
        )


def _provider(identity: str, model: str) -> str:
    through = next((each for start, each in _PROVIDERS.items() if identity.startswith(start)), "anthropic")
    return through if "claude" in model.lower() or not model else "unknown"


def _usage(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a usage object in which one figure says what was written to the cache."""
    by_time = usage.get("cache_creation")
    if not isinstance(by_time, dict):
        return usage
    told = [value for value in by_time.values() if type(value) is int]
    left_out = "cache_creation_input_tokens" if any(told) else "cache_creation"
    return {name: value for name, value in usage.items() if name != left_out}


def _log(path: str, bookmark: str, source: str) -> Log:
    return LineLog(path, bookmark, ClaudeRecords(source, path), _MARKERS)


FORMAT = Format(NAME, of_lines, _log, is_current)


def folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield where Claude Code keeps its logs."""
    if environ.get("CLAUDE_CONFIG_DIR", "").strip():
        yield from listed(environ["CLAUDE_CONFIG_DIR"], "projects")
        return
    config = environ.get("XDG_CONFIG_HOME", "")
    yield (
        os.path.join(config, "claude", "projects")
        if os.path.isabs(config)
        else home(environ, ".config", "claude", "projects")
    )
    yield home(environ, ".claude", "projects")


def _make(config: SourceConfig, _http: Http | None, _clock: Clock) -> AgentLogs:
    return AgentLogs(config, FORMAT, folders_of(config, folders(os.environ)))


KIND = Kind(
    name="claude-code",
    help="Claude Code's logs on this machine: tokens by model, project and session, at list prices",
    make=_make,
    options=(FOLDERS,),
    least_seconds=LEAST_SECONDS,
    folders=folders,
)
