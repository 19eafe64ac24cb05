"""The captured engine: a recording of a real vLLM's metrics page, read by the same collector as a live one."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from collectors.vllm import Vllm
from infertop.engine.collector import SourceConfig
from infertop.readings.model import Batch


@cache
def pages() -> tuple[bytes, ...]:
    """Return the recorded pages, one a second."""
    packed = files("collectors.demo").joinpath("engine.jsonl.gz").read_bytes()
    made: list[bytes] = []
    lines: list[str] = []
    for row in map(json.loads, gzip.decompress(packed).splitlines()):
        lines = row["page"].split("\n") if "page" in row else lines
        for number, line in row.get("diff", {}).items():
            lines[int(number)] = line
        made.append("\n".join(lines).encode() + b"\n")
    return tuple(made)


@dataclass
class CapturedEngine:
    """Says what the recording said so many seconds after it began, and begins again at its end, as after a restart."""

    config: SourceConfig
    reader: Vllm
    kind: str = "vllm"

    async def collect(self, ts: float) -> Batch:
        """Read the page of this second."""
        recorded = pages()
        return self.reader.parse(recorded[int(ts) % len(recorded)], ts)

    async def close(self) -> None:
        """Close what the reader holds."""
        await self.reader.close()
