"""Taking an answer of the Prometheus HTTP API as it comes: series by series, in bounded memory.

Wire format: prometheus.io/docs/prometheus/latest/querying/api. All backends write it without blanks, one
`{"metric":{...},"values":[[t,"v"],...]}` after the other. A quote inside of a string is escaped, so that these marks
are nowhere else, and the text between two of them is a series. What is not written so is read whole, within bounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infertop.engine.collector import Unavailable
from infertop.engine.secrets import redact
from infertop.readings.safe import safe

_MARK = b'{"metric":'
_HEAD_BYTES = 64 * 2**10
_SERIES_BYTES = 4 * 2**20
_WHOLE_BYTES = 32 * 2**20
_TYPE = re.compile(rb'"resultType":"(\w{1,20})"')
_WARNINGS = re.compile(rb'"warnings":\[')
_NUMBER = re.compile(rb"-?\d{1,15}(?:\.\d{1,9})?(?:[eE][+-]?\d{1,2})?")
_MOST_WARNINGS = 3

Take = Callable[[bytes, bytes], None]
"""Takes a series: its labels as a JSON object, and its points as `t,"v"],[t,"v"],...` without the last quote."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended: what its result is, how many series could not be read, what the backend says about it."""

    kind: str
    rejected: int
    notes: tuple[str, ...]


class Answer:
    """One answer. `feed` takes its pieces, `finish` its end; every series goes to `take` as soon as it is whole."""

    def __init__(self, where: str, take: Take) -> None:
        self._where = where
        self._take = take
        self._head = b""
        self._rest = b""
        self._open = False  # whether `_rest` is the beginning of a series
        self._whole: list[bytes] | None = None
        self._size = 0
        self._rejected = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece; raise Unavailable where it is nothing that an answer may be."""
        self._size += len(piece)
        if self._whole is not None:
            if self._size > _WHOLE_BYTES:
                raise Unavailable(
                    f"the answer of {self._where} is larger than {_WHOLE_BYTES >> 20} MiB, and oddly written"
                )
            self._whole.append(piece)
            return
        parts = (self._rest + piece).split(_MARK)
        if not self._open:
            if len(parts) == 1:
                self._rest = parts[0]
                if len(self._rest) > _HEAD_BYTES:
                    self._whole, self._rest = [self._rest], b""
                return
            self._head = parts.pop(0)
            self._open = True
        self._rest = parts.pop()
        for part in parts:
            self._series(part)
        if len(self._rest) > _SERIES_BYTES:
            raise Unavailable(f"{self._where} answers with a series of more than {_SERIES_BYTES >> 20} MiB")

    def finish(self) -> Outcome:
        """End the answer; raise Unavailable where it is an error, broken off, or none."""
        if not self._open:
            return self._read_whole(b"".join(self._whole) if self._whole is not None else self._rest)
        tail = self._series(self._rest)
        kind = _TYPE.search(self._head)
        if b'"status":"success"' not in self._head + tail or kind is None:
            raise self._none()
        if not tail.lstrip().startswith(b"]") or not tail.rstrip().endswith(b"}") or tail.count(b"}") < 2:
            raise self._cut()
        partial = b'"isPartial":true' in self._head + tail
        return Outcome(kind[1].decode(), self._rejected, tuple(self._notes(_warnings(self._head, tail), partial)))

    def _series(self, part: bytes) -> bytes:
        """Hand on one series, and return what stands behind it."""
        labels, mark, rest = part.partition(b'},"value')
        end = -1
        if mark and rest.startswith(b's":[['):
            begin, end, behind = 5, rest.find(b'"]]'), 4
        elif mark and rest.startswith(b'":['):
            begin, end, behind = 3, rest.find(b'"]'), 3
        if end < 0:
            self._rejected += 1  # a native histogram, or nothing that is known
            return rest
        self._take(labels + b"}", rest[begin:end])
        return rest[end + behind :]

    def _read_whole(self, body: bytes) -> Outcome:
        """Read an answer without series, or one that is written in another way than all backends do."""
        try:
            page = json.loads(body)
        except (ValueError, RecursionError):
            if body.lstrip()[:1] == b"{":
                raise self._cut() from None
            raise self._none() from None
        if not isinstance(page, dict) or page.get("status") not in ("success", "error"):
            raise self._none()
        if page["status"] == "error":
            raise self._error(page)
        data = page.get("data")
        result = data.get("result") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(result, list):
            raise self._none()
        for each in result:
            found = _as_written(each)
            if found is None:
                self._rejected += 1
            else:
                self._take(*found)
        warnings = page.get("warnings")
        notes = self._notes(warnings if isinstance(warnings, list) else [], page.get("isPartial") is True)
        return Outcome(str(data.get("resultType")), self._rejected, tuple(notes))

    def _notes(self, warnings: list[object], partial: bool) -> Iterator[str]:
        if partial:
            yield f"{self._where} answers in part: some of its storage did not"
        said = [safe(redact(each), 160) for each in warnings if isinstance(each, str)]
        if said:
            more = f" (and {len(said) - _MOST_WARNINGS} more)" if len(said) > _MOST_WARNINGS else ""
            yield f"{self._where} warns: {'; '.join(said[:_MOST_WARNINGS])}{more}"

    def _error(self, page: dict[str, object]) -> Unavailable:
        kind, text = (safe(redact(str(page.get(key) or "")), 200) for key in ("errorType", "error"))
        return Unavailable(
            f"{self._where} refuses the query{f' ({kind})' if kind else ''}: {text or 'it says no more'}"
        )

    def _none(self) -> Unavailable:
        return Unavailable(
            f"{self._where} does not answer as Prometheus does: is the url that of its API, up to before /api/v1?"
        )

    def _cut(self) -> Unavailable:
        return Unavailable(f"the answer of {self._where} ends in the middle: it was cut off on the way")


def names_in(body: bytes) -> list[object]:
    """Return the values of a label that an answer has, none where it is no such answer."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return []
    data = page.get("data") if isinstance(page, dict) else None
    return data if isinstance(data, list) else []


def _warnings(*parts: bytes) -> list[object]:
    for part in parts:
        found = _WARNINGS.search(part)
        if found:
            try:
                warnings, _ = json.JSONDecoder().raw_decode(part[found.end() - 1 :].decode("utf-8", "replace"))
            except (ValueError, RecursionError):
                continue
            if isinstance(warnings, list):
                return warnings
    return []


def _as_written(each: object) -> tuple[bytes, bytes] | None:
    """Return a series of a parsed answer as it stands in a compact one, None where it is none."""
    if not isinstance(each, dict) or not isinstance(each.get("metric"), dict):
        return None
    points = each["values"] if "values" in each else [each.get("value")]
    if not isinstance(points, list) or not points:
        return None
    said = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2 or not isinstance(point[1], str):
            return None
        ts = json.dumps(point[0]).encode()
        if not _NUMBER.fullmatch(ts):
            return None
        said.append(ts + b',"' + point[1].encode("ascii", "replace"))
    return json.dumps(each["metric"], ensure_ascii=False, separators=(",", ":")).encode(), b'"],['.join(said)
