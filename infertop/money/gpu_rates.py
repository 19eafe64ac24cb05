"""Which GPU a name of NVML (or amdsmi) means, and the default rate of each that has one."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

_GIB = 2**30
_MIG = re.compile(r"\s+MIG\s+(?:(\d)c\.)?(\d)g\.\d+gb\S*\s*$", re.IGNORECASE)
_MEMORY = re.compile(r"\b(\d{1,4}) ?GB?\b")
# Words that say how the chip is packaged, not which one it is.
_PACKAGING = re.compile(
    r"\b(NVIDIA|AMD|INSTINCT|OAM|GEFORCE|TESLA|QUADRO|SXM\d?|PCIE|HBM\w*|GENERATION|(SERVER|WORKSTATION) EDITION"
    r"|EDITION|BLACKWELL|DGXS|FHHL|LS|AC|CUDA)\b"
)
# Each must match the whole name that is left, so that a laptop's or a virtual GPU never gets the full card's price.
_CHIPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"(GB300|GB200|GH200|B300|B200)", r"\1"),
        (r"(H200|H100) NVL", r"\1-NVL"),
        (r"(H800|H200|H100|H20|L40S|L40|L20|L4|L2)", r"\1"),
        (r"(A800|A100|A10G|A10M|A10|A16|A30|A40|A2)", r"\1"),
        (r"(T4G|T4|V100S|V100|P100|P40|P4|M60)", r"\1"),
        (r"(MI\d{2,3}[AX]?)", r"\1"),
        (r"RTX ?PRO ?(\d[05]00)", r"RTXPRO\1"),
        (r"RTX ?PRO ?(\d[05]00) MAX Q", r"RTXPRO\1-MaxQ"),
        (r"RTX ?(\d000) ADA", r"RTX\1-Ada"),
        (r"RTX ?A(\d000)", r"RTXA\1"),
        (r"(RTX|GTX) ?(\d{3,4})", r"\1\2"),
        (r"(RTX|GTX) ?(\d{3,4}) ?(TI)", r"\1\2-Ti"),
        (r"(RTX|GTX) ?(\d{3,4}) SUPER", r"\1\2-Super"),
        (r"(RTX|GTX) ?(\d{3,4}) ?TI SUPER", r"\1\2-Ti-Super"),
        (r"(RTX) ?(\d{4}) D", r"\1\2-D"),
    )
)
# Chips that are sold with more than one size of memory at more than one price, in GB.
_MEMORIES = {"A100": (40, 64, 80), "A800": (40, 80), "V100": (16, 32)}
# Compute slices of the whole GPU (MIG User Guide, "Supported GPUs"): chips not named here cannot be divided.
_SLICES = {
    **dict.fromkeys(("A100", "A800", "H100", "H200", "H800", "H20", "GH200", "B200", "B300", "GB200", "GB300"), 7),
    **dict.fromkeys(("A30", "RTXPRO6000", "RTXPRO6000-MaxQ"), 4),
    **dict.fromkeys(("RTXPRO5000", "RTXPRO4500"), 2),
}
_MOST_SLICES = 7
_FAMILY = re.compile(r"-(\d+GB|NVL)$")


@dataclass(frozen=True, slots=True)
class DefaultRate:
    """A row of the default rates: USD per GPU hour (None: no public price), the range seen, and where it was read."""

    key: str
    usd_per_hour: Decimal | None
    low: Decimal | None
    high: Decimal | None
    tdp_watts: int
    date: str
    note: str


@lru_cache(maxsize=512)
def gpu_key(name: str, memory_total_bytes: int | None = None) -> str | None:
    """Return the key of the GPU that NVML names `name` ("H100", "A100-80GB", "RTX6000-Ada"), or None if unknown.

    The size of the memory is taken from the name, else from `memory_total_bytes`; a MIG instance's own memory says
    nothing about its GPU and is not looked at.
    """
    whole = without_mig(name[:200])
    text = whole.upper().replace("-", " ").replace("_", " ")
    found = _MEMORY.search(text)
    text = " ".join(_PACKAGING.sub(" ", _MEMORY.sub(" ", text)).split())
    key = next((match.expand(form) for chip, form in _CHIPS if (match := chip.fullmatch(text))), None)
    if key not in _MEMORIES:
        return key
    if found:
        return f"{key}-{int(found[1])}GB"
    size = _memory(key, memory_total_bytes if whole == name else None)
    return f"{key}-{size}GB" if size else key


def _memory(key: str, memory_total_bytes: int | None) -> int | None:
    """Return the size that is sold, in GB, next to what NVML reports, which is a little less."""
    if not memory_total_bytes:
        return None
    reported = memory_total_bytes / _GIB
    size = min(_MEMORIES[key], key=lambda each: abs(each - reported))
    return size if abs(size - reported) < size / 8 else None


def family_key(name: str) -> str | None:
    """Return the key that a user means by `name` ("h100", "RTX 4090"), or None for one GPU's full name and for globs.

    "NVIDIA H100 PCIe" is a price for that one, not for every H100.
    """
    key = gpu_key(name)
    return key if key and _letters(key) == _letters(name) else None


def _letters(name: str) -> str:
    return "".join(ch for ch in name.upper() if ch.isalnum())


def families(key: str) -> Iterator[str]:
    """Iterate over `key` and what it is a kind of: "A100-80GB", then "A100"."""
    yield key
    if (family := _FAMILY.sub("", key)) != key:
        yield family


def without_mig(name: str) -> str:
    """Return the name of the GPU that a MIG instance is part of, or `name` itself."""
    return _MIG.sub("", name).strip()


def mig_slices(name: str) -> int | None:
    """Return the compute slices in the name of a MIG instance ("MIG 3g.20gb": 3, "MIG 1c.3g.20gb": 1), or None."""
    match = _MIG.search(name)
    return int(match[1] or match[2]) if match else None


def whole_slices(key: str | None) -> int:
    """Return the compute slices of the whole GPU that an instance is of; of an unknown one the most there are."""
    return divided_into(key) or _MOST_SLICES


def divided_into(key: str | None) -> int | None:
    """Return the compute slices that a GPU can be divided into (MIG), None where it cannot."""
    return next((_SLICES[kind] for kind in families(key or "") if kind in _SLICES), None)


@cache
def default_rates() -> dict[str, DefaultRate]:
    """Return the default rates by key."""
    text = (Path(__file__).parent / "data" / "gpu_rates.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["key"]: _rate(row) for row in rows}


def _rate(row: dict[str, str]) -> DefaultRate:
    usd, low, high = (Decimal(row[column]) if row[column] else None for column in ("usd_per_hour", "low", "high"))
    return DefaultRate(row["key"], usd, low, high, int(row["tdp_watts"]), row["date"], row["note"])
