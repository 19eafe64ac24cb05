"""A histogram as a row: a few bytes a bucket, exact.

Layout, little-endian: type code (1 byte), id of the bounds (u32), sum (f64), then one number a bucket. With type code
B, H, I or Q it is what the bucket adds to the one below; with d (counts that are not whole, or that fall) it is the
cumulative count as it was sent.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate
from operator import sub

from infertop.readings.model import Buckets

_HEAD = struct.Struct("<cId")
_LIMITS = ((b"B", 1 << 8), (b"H", 1 << 16), (b"I", 1 << 32), (b"Q", 1 << 53))


def pack(value: Buckets, bounds: int) -> bytes:
    """Return `value` as bytes; `bounds` is the id under which its bounds are kept."""
    steps = _whole_steps(value.counts)
    if steps is None:
        counts = tuple(map(float, value.counts))
        return _HEAD.pack(b"d", bounds, value.total) + struct.pack(f"<{len(counts)}d", *counts)
    highest = max(steps)
    code = next(code for code, limit in _LIMITS if highest < limit)
    return _HEAD.pack(code, bounds, value.total) + struct.pack(f"<{len(steps)}{code.decode()}", *steps)


def bounds_id(content: bytes) -> int:
    """Return the id of the bounds of a packed histogram."""
    return int(_HEAD.unpack_from(content)[1])


def weight(content: bytes) -> tuple[float, float]:
    """Return how many values a packed histogram has, and their sum."""
    code, _, total = _HEAD.unpack_from(content)
    body, kind = content[_HEAD.size :], code.decode("ascii", "replace")
    numbers = struct.unpack(f"<{len(body) // struct.calcsize(kind)}{kind}", body)
    if not numbers:
        return 0.0, total
    return float(numbers[-1] if code == b"d" else sum(numbers)), total


def unpack(content: bytes, bounds: tuple[float, ...]) -> Buckets:
    """Return the histogram that `pack` was given; raise struct.error where the bytes do not fit the bounds."""
    code, _, total = _HEAD.unpack_from(content)
    numbers = struct.unpack(f"<{len(bounds)}{code.decode('ascii', 'replace')}", content[_HEAD.size :])
    counts = numbers if code == b"d" else tuple(map(float, accumulate(numbers)))
    return Buckets(bounds, counts, total)


def pack_floats(values: tuple[float, ...]) -> bytes:
    """Return numbers as consecutive f64."""
    return struct.pack(f"<{len(values)}d", *values)


def unpack_floats(content: bytes) -> tuple[float, ...]:
    """Return what `pack_floats` was given."""
    return struct.unpack(f"<{len(content) // 8}d", content)


def pack_ids(ids: tuple[int, ...]) -> bytes:
    """Return ids as consecutive u32."""
    return struct.pack(f"<{len(ids)}I", *ids)


def unpack_ids(content: bytes) -> tuple[int, ...]:
    """Return what `pack_ids` was given."""
    return struct.unpack(f"<{len(content) // 4}I", content)


def _whole_steps(counts: Sequence[float]) -> list[int] | None:
    """Return what each bucket adds to the one below, or None where that is not a whole number that a float holds."""
    try:
        whole = list(map(int, counts))
    except (ValueError, OverflowError):
        return None
    if not whole or whole[-1] >= _LIMITS[-1][1] or whole != list(counts):
        return None
    steps = list(map(sub, whole, (0, *whole)))
    return steps if min(steps) >= 0 else None
