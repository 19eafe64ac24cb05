"""What went wrong, as a sentence for the person at the screen."""

from __future__ import annotations

import errno
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from traceback import walk_tb

from infertop.engine.collector import State, Unavailable
from infertop.engine.secrets import redact
from infertop.readings.safe import safe

_PACKAGES = {"collectors", "infertop"}
_RETRY_LEAST, _RETRY_MOST = 1.0, 3600.0
_REASONS = {
    errno.ECONNREFUSED: "connection refused at {where}: is it running, and is the port right?",
    errno.ECONNRESET: "{where} cut the connection",
    errno.EPIPE: "{where} cut the connection",
    errno.EHOSTUNREACH: "no way to {where}: is the host up?",
    errno.ENETUNREACH: "no way to {where}: is the network up?",
    errno.EHOSTDOWN: "no way to {where}: is the host up?",
    errno.EMFILE: "too many files are open to connect to {where}: raise `ulimit -n`",
    errno.ENFILE: "the machine has too many files open to connect to {where}",
    errno.ETIMEDOUT: "no connection to {where}: the host does not answer",
}


def from_exception(error: BaseException, where: str) -> Unavailable:
    """Say why a connection to `where` (HOST:PORT) failed, from the deepest cause known. The error's text is not used:
    it can quote the request."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = safe(cause.verify_message or "it cannot be verified", 120)
            return Unavailable(f"the TLS certificate of {where} is not accepted: {reason}")
        if isinstance(cause, ssl.SSLError):
            reason = safe((cause.reason or "handshake failed").lower().replace("_", " "), 80)
            return Unavailable(f"no TLS connection to {where}: {reason}; is it https, and is the port right?")
        if isinstance(cause, socket.gaierror):
            return Unavailable(f"the name of {where} cannot be resolved: is it spelt right, and does DNS work?")
    for cause in chain:
        if isinstance(cause, OSError) and cause.errno in _REASONS:
            return Unavailable(_REASONS[cause.errno].format(where=where))
    return Unavailable(f"{where} does not speak HTTP as expected ({type(error).__name__}): is the port right?")


def from_collector(error: BaseException) -> Unavailable | None:
    """Return what a poll's exception says to the person at the screen, or None where it is a bug.

    Files and devices that cannot be read are expected; so is a group of nothing but such failures.
    """
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, TimeoutError):
        return Unavailable("no answer in time", state=State.STALE)
    if isinstance(error, OSError):
        name = f"{safe(error.filename, 120)}: " if error.filename else ""
        return Unavailable(f"{name}{safe(error.strerror or type(error).__name__, 120)}")
    if isinstance(error, ExceptionGroup):
        parts = [from_collector(each) for each in error.exceptions]
        return parts[0] if all(parts) else None
    return None


def bug_place(error: BaseException) -> str:
    """Return FILE:LINE of the innermost frame in infertop's own code, or of the innermost one of all."""
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in walk_tb(error.__traceback__)]
    own = [(path, line) for path, line in frames if _PACKAGES & set(path.parts) and path.name != "run.py"]
    path, line = (own or frames or [(Path("?"), 0)])[-1]
    return f"{'/'.join(path.parts[-2:])}:{line}"


def from_status(
    status: int, reply: Mapping[str, str], body: bytes, *, where: str, path: str, has_key: bool
) -> Unavailable:
    """Say what an answer other than 2xx means, with what the other side said about it, and when to try again."""
    retry = retry_seconds(reply) if status in (429, 503) else None
    refused = partial(Unavailable, status=status)
    said = _explanation(reply, body)
    tail = f": {said}" if said else ""
    if 300 <= status < 400:
        target = safe(redact(reply.get("location", "").partition("?")[0]), 120) or "elsewhere"
        return refused(f"{where}{path} redirects to {target} (HTTP {status}), which is not followed: correct the url")
    if status == 401 and not has_key:
        return refused(f"{where} asks for a key (HTTP 401): set key_env or key_file", state=State.AUTH)
    if status == 401:
        return refused(f"{where} does not accept the key (HTTP 401){tail}", state=State.AUTH)
    if status == 403:
        return refused(f"{where} does not allow {path} to be read (HTTP 403){tail}", state=State.AUTH)
    if status == 404:
        return refused(f"there is no {path} at {where} (HTTP 404): is the url right?")
    if status == 429:
        return refused(f"{where} asks for fewer requests (HTTP 429){tail}", retry_seconds=retry)
    return refused(f"{where} answers HTTP {status} to {path}{tail}", retry_seconds=retry)


def retry_seconds(reply: Mapping[str, str]) -> float | None:
    """Read Retry-After (seconds or a date, RFC 9110 section 10.2.3), clamped to 1 s .. 1 h; None where it says nothing.

    A date is compared with the answer's own Date, so that the clocks of the two sides need not agree.
    """
    text = reply.get("retry-after", "").strip()
    if re.fullmatch(r"-?\d{1,20}(\.\d{1,9})?", text):
        seconds = float(text)
    else:
        then, now = _date(text), _date(reply.get("date", ""))
        if then is None or now is None:
            return None
        seconds = (then - now).total_seconds()
    return min(max(seconds, _RETRY_LEAST), _RETRY_MOST)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else None


def _explanation(reply: Mapping[str, str], body: bytes) -> str:
    """What a JSON error says of itself: `error.message`, `message`, `detail` or `error`; empty where there is none."""
    if "json" not in reply.get("content-type", ""):
        return ""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for keys in (("error", "message"), ("message",), ("detail",), ("error",)):
        found = page
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return safe(redact(found), 200)
    return ""


def _causes(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """Walk through what an exception was caused by, groups included."""
    if depth > 8:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each, depth + 1)
    following = error.__cause__ or error.__context__
    if following is not None:
        yield from _causes(following, depth + 1)
