"""What each service of the story used, minute by minute: real traffic by client, with the faults of the last day."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

DAY, HOUR, MINUTE = 86_400, 3600, 60
DAYS = 14
END = 1_795_132_800  # the end of Thursday 19 November 2026, UTC
LAST_DAY = END - DAY
_TRAFFIC = Path(__file__).parent / "traces/story/traffic.csv"

# The faults, seconds after midnight of the last day.
NEW_KEY = 9 * HOUR + 30 * MINUTE
RESTART = 11 * HOUR + 20 * MINUTE
LONG_PROMPTS = 14 * HOUR + 5 * MINUTE, 17 * HOUR + 5 * MINUTE
PROMPTS_TIMES = 2.4
IDLE = 18 * HOUR, 21 * HOUR
_LEAP = 0.3  # what is left of the leaps that tokens per request make


@dataclass(frozen=True, slots=True)
class Service:
    """A client of the trace in the part that it plays; `times` is how much more of it there is here."""

    client: str
    source: str
    provider: str
    model: str
    key: str = ""
    times: float = 1.0
    gpus: tuple[str, ...] = ()


OPENAI, ANTHROPIC = "openai", "anthropic"
CHAT_ENGINE, CODER_ENGINE = "vllm@127.0.0.1:8000", "vllm@127.0.0.1:8001"
SERVICES = (
    Service("support", OPENAI, OPENAI, "gpt-4o", "prod-support"),
    Service("search", OPENAI, OPENAI, "gpt-4o-mini", "search-rag", 20.0),
    Service("labels", OPENAI, OPENAI, "gpt-4o", "doc-labels", 5.0),
    Service("agents", ANTHROPIC, ANTHROPIC, "claude-sonnet-4-5", "code-agents", 6.0),
    Service("chat", CHAT_ENGINE, "local", "llama-3-70b", gpus=("GPU-5d1e0f3c",)),
    Service("search", CODER_ENGINE, "local", "qwen2.5-coder-32b", times=6.0, gpus=("GPU-a27b9c44", "GPU-a93e51d0")),
)
NEWCOMER = Service("", OPENAI, OPENAI, "gpt-4o-mini", "intern-notebook")


class Use(NamedTuple):
    """What a service used in a minute; `load` is its traffic as a part of twice its mean, None while it is silent."""

    service: Service
    requests: int
    prompt: int
    output: int
    load: float | None


class _Half(NamedTuple):
    requests: float
    prompt: float
    output: float


def minutes(seed: int = 7, days: int = DAYS) -> Iterator[tuple[int, list[Use]]]:
    """Yield each minute's start and what was used in it, over the last `days`; the same for the same seed."""
    dice, traffic = Random(seed), {name: _steadier(halves) for name, halves in _traffic().items()}
    mean = {name: sum(half.requests for half in halves) / len(halves) for name, halves in traffic.items()}
    for start in range(END - days * DAY, END, MINUTE):
        half = (start - (END - DAYS * DAY)) // 1800
        used = []
        for service in SERVICES:
            said = traffic[service.client][half]
            used.append(_use(service, said, start - LAST_DAY, said.requests / mean[service.client] / 2, dice))
        if start - LAST_DAY >= NEW_KEY:
            used.append(_use(NEWCOMER, _Half(140, 84_000, 28_000), start - LAST_DAY, 0.0, dice))
        yield start, used


def _use(service: Service, said: _Half, second: int, load: float, dice: Random) -> Use:
    if service.source == CODER_ENGINE and IDLE[0] <= second < IDLE[1]:
        return Use(service, 0, 0, 0, None)
    mean = said.requests * service.times / 30
    requests = max(0, round(dice.gauss(mean, mean**0.5)))
    if not requests or not said.requests:
        return Use(service, 0, 0, 0, load)
    prompt = requests * said.prompt / said.requests * dice.lognormvariate(0.0, 0.05)
    if service.client == "support" and LONG_PROMPTS[0] <= second < LONG_PROMPTS[1]:
        prompt *= PROMPTS_TIMES
    output = requests * said.output / said.requests * dice.lognormvariate(0.0, 0.05)
    return Use(service, requests, round(prompt), round(output), min(load, 1.0))


def _steadier(halves: list[_Half]) -> list[_Half]:
    """Let tokens per request lie nearer to their mean: the trace has them by six hours, and then they leap."""
    requests = sum(half.requests for half in halves)
    means = [sum(half[at] for half in halves) / requests for at in (1, 2)]

    def pulled(half: _Half, at: int) -> float:
        usual = means[at - 1]
        return half.requests * usual * (half[at] / half.requests / usual) ** _LEAP if half.requests else 0.0

    return [_Half(half.requests, pulled(half, 1), pulled(half, 2)) for half in halves]


def _traffic() -> dict[str, list[_Half]]:
    found: dict[str, list[_Half]] = {}
    with _TRAFFIC.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            half = _Half(float(row["requests"]), float(row["input_tokens"]), float(row["output_tokens"]))
            found.setdefault(row["client"], []).append(half)
    return found
