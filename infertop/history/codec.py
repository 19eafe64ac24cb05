"""A histogram as a row: a few bytes a bucket, exact.

Layout, little-endian: type code (1 byte), id of the bounds (u32), sum (f64), then one number a bucket. With type code
B, H, I or Q it is what the bucket adds to the one below; with d (counts that are not whole, or that fall) it is the
cumulative count as it was sent.
"""

from __future__ import annotations

import struct
from itertools import accumulate
from operator import sub

from infertop.readings.model import Buckets

_HEAD = struct.Struct("<cId")
_LIMITS = ((b"B", 1 << 8), (b"H", 1 << 16), (b"I", 1 << 32), (b"Q", 1 << 53))


def pack(value: Buckets, bounds: int) -> bytes:
    """Return `value` as bytes; `bounds` is the id under which its bounds are kept."""
    counts = tuple(map(float, value.counts))
    steps = tuple(map(sub, counts, (0.0, *counts)))
    code = _type_code(steps)
    head = _HEAD.pack(code, bounds, value.total)
    if code == b"d":
        return head + struct.pack(f"<{len(counts)}d", *counts)
    return head + struct.pack(f"<{len(steps)}{code.decode()}", *map(int, steps))


def bounds_id(content: bytes) -> int:
    """Return the id of the bounds of a packed histogram."""
    return int(_HEAD.unpack_from(content)[1])


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


def _type_code(steps: tuple[float, ...]) -> bytes:
    """Return the narrowest type that holds every step exactly."""
    if steps and all(map(float.is_integer, steps)) and min(steps) >= 0:
        highest, together = max(steps), sum(steps)
        for code, limit in _LIMITS:
            if highest < limit and together < _LIMITS[-1][1]:
                return code
    return b"d"
