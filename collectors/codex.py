"""Codex's logs on this machine: a file a session ("rollout"), a line an event, under sessions/ of its folder.

Format: codex-rs/protocol (RolloutLine, TokenCountEvent), described by ccusage. What decides:

- A `token_count` event tells the sum so far and the last request; events are repeated with the same sum, also after
  those of a second window on the same session. A request is the last usage where the sum is a new one, else what the
  sum grew by. A last usage that has a total alone is Codex's estimate after a compaction, and no request.
- Cached and written tokens are part of the input, reasoning is part of the output.
- A forked session, or a sub-agent's, begins with its parent's events, written in one go at the moment of the fork:
  those are passed over. Copies that kept their time have the parent's key, whichever file is read first. Newer versions
  copy nothing and say up to which event of the parent the history goes.
- The model is that of the `turn_context` before; where there is none it is taken to be gpt-5, and is an estimate.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from collectors._agent_logs import LEAST_SECONDS, AgentLogs, Format, Log
from collectors._agent_places import FOLDERS, folders_of, home, listed
from collectors._log_file import LineLog, is_current, of_lines
from collectors._log_said import NotReadError, Whose, counts, inner, instant, statement, text
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

NAME = "Codex"
_MARKERS = (b'"token_count"', b'"turn_context"', b'"session_meta"', b'"thread_settings_applied"')
_COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")
_WRITTEN = "cache_write_input_tokens"  # newer versions alone, and no part of the key
_SUMS_KEPT = 4
_FALLBACK_MODEL = "gpt-5"
_BURST_SECONDS = 1.0
_STANDARD = frozenset({"default", "standard", "auto"})


class CodexRecords:
    """The events of one session's file.

    `context` has the session, its project, provider, model and tier, the last sums ("sums"), and until when what is
    told was copied from the session that it was forked from ("fork").
    """

    def __init__(self, source: str, path: str) -> None:
        self.context: dict[str, Any] = {}
        self._source = source
        self._file = os.path.splitext(os.path.basename(path))[0]

    def say(self, record: Mapping[str, Any]) -> Iterable[Statement]:
        """Return what a request took, nothing for other events."""
        payload, kind = record.get("payload"), record.get("type")
        if kind == "session_meta":
            self._begin(record, payload)
        elif kind == "turn_context":
            self._note("model", inner(payload, "model"))
            self._note("project", inner(payload, "cwd"))
        elif kind == "event_msg" and inner(payload, "type") == "thread_settings_applied":
            self._note("tier", inner(payload, "thread_settings", "service_tier"))
        elif kind == "event_msg" and inner(payload, "type") == "token_count":
            used = self._used(inner(payload, "info"))
            if any(used[:-2]) and not self._is_copy(ts := instant(record.get("timestamp"))):
                return (self._statement(ts, used),)
        return ()

    def _begin(self, record: Mapping[str, Any], payload: object) -> None:
        """Take the first description of the session; a fork also has its parent's."""
        if "session" in self.context:
            return
        self.context["session"] = text(inner(payload, "id")) or self._file
        self._note("project", inner(payload, "cwd"))
        self._note("provider", inner(payload, "model_provider"))
        spawned = inner(payload, "source", "subagent", "thread_spawn", "parent_thread_id")
        copied = inner(payload, "forked_from_ordinal_exclusive") is None
        if copied and (text(inner(payload, "forked_from_id")) or text(spawned)):
            self.context["fork"] = instant(record.get("timestamp"))

    def _note(self, name: str, value: object) -> None:
        if said := text(value):
            self.context[name] = said

    def _used(self, info: object) -> list[int]:
        """Return the counts of the request that an event is about; none where it says nothing new."""
        total, last = _counted(inner(info, "total_token_usage")), _counted(inner(info, "last_token_usage"))
        if not total:
            return last
        known = self.context.get("sums")
        sums = [each for each in known if isinstance(each, list)] if isinstance(known, list) else []
        if total in sums:
            return []
        self.context["sums"] = [*sums, total][-_SUMS_KEPT:]
        if any(last[:-2]):
            return last
        before = sums[-1] if sums and len(sums[-1]) == len(total) else [0] * len(total)
        grown = [now - then for now, then in zip(total, before, strict=True)]
        return total if min(grown) < 0 else grown

    def _is_copy(self, ts: float) -> bool:
        fork = self.context.get("fork")
        if not isinstance(fork, int | float) or ts < fork:
            return False
        if ts - fork <= _BURST_SECONDS:
            self.context["fork"] = ts
            return True
        del self.context["fork"]
        return False

    def _statement(self, ts: float, used: list[int]) -> Statement:
        context = self.context
        whole, cached, output, reasoning, _, written = used
        usage = {
            "input_tokens": whole,
            "input_tokens_details": {"cached_tokens": cached} | ({"cache_write_tokens": written} if written else {}),
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": reasoning},
        }
        model, tier = context.get("model"), context.get("tier", "")
        return statement(
            Whose(self._source, "codex", context.get("session", self._file), context.get("project", "")),
            "-".join(map(str, (round(ts * 1000), *used[:-1]))),
            ts,
            context.get("provider", "openai"),
            model or _FALLBACK_MODEL,
            counts("openai", usage),
            basis="computed" if model else "estimated",
            service_tier="" if tier in _STANDARD else tier,
        )


def _counted(said: object) -> list[int]:
    """Return the counts of a usage object, the total and what was written last; none where it is absent.

    Raise NotReadError where one is no count.
    """
    if not isinstance(said, dict):
        return []
    found = [said.get(name) or 0 for name in (*_COUNTS, _WRITTEN)]
    if not all(type(each) is int and 0 <= each <= 10**15 for each in found):
        raise NotReadError("a count of tokens is no count")
    return found


def _log(path: str, bookmark: str, source: str) -> Log:
    return LineLog(path, bookmark, CodexRecords(source, path), _MARKERS)


FORMAT = Format(NAME, of_lines, _log, is_current)


def folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield where Codex keeps its logs."""
    said = environ.get("CODEX_HOME", "").strip()
    for base in listed(said) if said else (home(environ, ".codex"),):
        yield from (os.path.join(base, name) for name in ("sessions", "archived_sessions") if base)


def _make(config: SourceConfig, _http: Http | None, _clock: Clock) -> AgentLogs:
    return AgentLogs(config, FORMAT, folders_of(config, folders(os.environ)))


KIND = Kind(
    name="codex",
    help="Codex's logs on this machine: tokens by model, project and session, at list prices",
    make=_make,
    options=(FOLDERS,),
    least_seconds=LEAST_SECONDS,
    folders=folders,
)
