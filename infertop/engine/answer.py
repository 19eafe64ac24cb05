"""Taking an answer's headers and body off the wire, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping, Sequence

from infertop.engine.body import BodyError, Sift, read_body, too_large

_MAX_HEADER_BYTES = 64 * 2**10
_MAX_ERROR_BYTES = 64 * 2**10
_SHORTLY_SECONDS = 1.0


def checked_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lower-case name; raise BodyError where they are too many."""
    if sum(len(name) + len(value) for name, value in raw) > _MAX_HEADER_BYTES:
        raise BodyError("has headers of more than 64 KiB")
    headers: dict[str, str] = {}
    for name, value in raw:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


async def read(
    stream: AsyncIterable[bytes], headers: Mapping[str, str], max_bytes: int, sift: Sift | None = None
) -> bytes:
    """Return the body; raise BodyError where it is broken or larger than `max_bytes`. `sift` is as in `read_body`."""
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 18 or int(length) > max_bytes):
        raise too_large(max_bytes)
    encoding = headers.get("content-encoding", "").strip().lower()
    at_once = getattr(stream, "whole", None)
    if at_once is not None and sift is None and encoding in ("", "identity"):
        whole: bytes | None = await at_once(max_bytes)
        if whole is not None:
            return whole
    return await read_body(stream, encoding, max_bytes, sift)


async def read_error(stream: AsyncIterable[bytes], headers: Mapping[str, str]) -> bytes:
    """What an error says is worth reading only where it is short."""
    try:
        return await read(stream, headers, _MAX_ERROR_BYTES)
    except BodyError:
        return b""


async def read_shortly(stream: AsyncIterable[bytes], headers: Mapping[str, str]) -> bytes:
    """Return a short body that comes at once, else nothing: where the status says enough, nobody waits for the rest."""
    import httpx

    try:
        async with asyncio.timeout(_SHORTLY_SECONDS):
            return await read_error(stream, headers)
    except (TimeoutError, OSError, httpx.HTTPError, httpx.StreamError):
        return b""
