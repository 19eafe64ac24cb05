"""Reading a body that may be endless, truncated or a bomb, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Callable, Iterator

_GZIP = 31
_PIECE_BYTES = 2**20
Sift = Callable[[bytes], None]


class BodyError(Exception):
    """The body cannot be used; the text says why, to follow the words "its answer"."""

    too_large = False


async def read_body(chunks: AsyncIterable[bytes], encoding: str, max_bytes: int, sift: Sift | None = None) -> bytes:
    """Return the whole body, inflated where `encoding` is gzip; raise BodyError beyond `max_bytes` before or after.

    With `sift` nothing is kept: it is given the body piece by piece, and what is returned is empty.
    """
    inflate = _Inflater(max_bytes) if encoding in ("gzip", "x-gzip") else None
    if inflate is None and encoding not in ("", "identity"):
        raise BodyError("is in an encoding that was not asked for")
    parts: list[bytes] = []
    take = sift or parts.append
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise too_large(max_bytes)
        for piece in inflate.feed(chunk) if inflate else (chunk,):
            take(piece)
    if inflate and not inflate.complete:
        raise BodyError("ends in the middle")
    return b"".join(parts)


def too_large(max_bytes: int) -> BodyError:
    """Make the error for a body beyond `max_bytes`."""
    error = BodyError(f"is larger than {max_bytes / 2**20:.0f} MiB" if max_bytes >= 2**20 else "is too large")
    error.too_large = True
    return error


class _Inflater:
    """Gunzips piece by piece and stops at a bound, so that a small bomb cannot fill the memory."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._limit = max_bytes
        self._stream = zlib.decompressobj(_GZIP)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            try:
                part = self._stream.decompress(chunk, min(self._left + 1, _PIECE_BYTES))
            except zlib.error:
                raise BodyError("is not valid gzip") from None
            self._left -= len(part)
            if self._left < 0:
                raise too_large(self._limit)
            if self._stream.unused_data:
                raise BodyError("goes on after its end")
            yield part
            chunk = self._stream.unconsumed_tail

    @property
    def complete(self) -> bool:
        return self._stream.eof
