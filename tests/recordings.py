"""Reads the recordings in tests/payloads: what a real server said, a page a second."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

PAYLOADS = Path(__file__).parent / "payloads"


def pages(path: Path | str, url: str = "/metrics") -> Iterator[tuple[float, int | None, str]]:
    """Yield (time, HTTP status or None where nothing answered, text) of each page whose URL ends with `url`.

    A relative path is looked up in tests/payloads.
    """
    page: dict[str, list[str]] = {}
    with gzip.open(PAYLOADS / path, "rt", encoding="utf-8", newline="\n") as lines:
        for row in map(json.loads, lines):
            if "text" in row:
                page[row["url"]] = row["text"].split("\n")
            for number, line in row.get("diff", {}).items():
                page[row["url"]][int(number)] = line
            if row["url"].endswith(url):
                yield row["t"], row["status"], "\n".join(page[row["url"]])


def snapshots() -> list[Path]:
    """List the single metrics pages."""
    return sorted(path for path in PAYLOADS.glob("*/*.txt") if path.read_bytes().startswith(b"# "))


def answers() -> list[Path]:
    """List the pages that are read of every kind, whatever they are written in."""
    return sorted([*snapshots(), *PAYLOADS.glob("*/*.page.json")])
