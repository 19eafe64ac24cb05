"""What the tests of LiteLLM's page share: pages, and what stands of all that was said of them."""

from __future__ import annotations

from tests.collectors.reading import payload, source

PAGE = payload("litellm/1.100.0.txt")
QUIET = b"\n".join(line for line in PAGE.split(b"\n") if line.startswith((b"#", b"process_"))) + b"\n"
SPEND, TOKENS, REQUESTS, PROMPT, CACHED, WRITTEN, REASONING = (
    f"litellm_{each}_metric_total"
    for each in (
        *("spend", "output_tokens", "requests", "input_tokens"),
        *("input_cached_tokens", "input_cache_creation_tokens", "output_reasoning_tokens"),
    )
)


def line(name: str, value: object, **labels: str) -> str:
    labels = {"model": "gpt-4o", "requested_model": "chat", "api_provider": "openai"} | labels
    pairs = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{pairs}}} {value}\n"


def page(*lines: str, started: float | None = 1.7e9) -> bytes:
    start = "" if started is None else f"process_start_time_seconds {started}\n"
    return ("# TYPE litellm_spend_metric_total counter\n" + start + "".join(lines)).encode()


def read(*pages: bytes, every: float = 15.0):
    """Read pages one after the other; return the batches."""
    collector = source("litellm")
    return [collector.parse(each, 100.0 + at * every) for at, each in enumerate(pages)]


def told(batch):
    """Who spent how many 1e-9 USD."""
    return {(s.provider, s.model, *sorted(s.dimensions.values())): s.usd_nano for s in batch.statements}


def standing(batches):
    """What stands of all that was said: a page replaces what it covers."""
    stands = {}
    for batch in batches:
        if batch.statements:
            start, end = min(s.start for s in batch.statements), max(s.end for s in batch.statements)
            stands = {key: s for key, s in stands.items() if not (start <= s.start and s.end <= end)}
            stands |= {s.key: s for s in batch.statements}
    return list(stands.values())


def spent(batches) -> int:
    return sum(each.usd_nano or 0 for each in standing(batches))
