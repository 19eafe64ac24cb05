"""What came of telling somebody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it was told, and a sentence on what the other side said, without secrets; `output` is a command's.

    Where it was not: `again` says whether another try may go better, `retry_seconds` when, where the other side said.
    """

    told: bool
    sentence: str
    again: bool = False
    retry_seconds: float | None = None
    output: str = ""
