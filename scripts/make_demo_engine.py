"""Make the demo's captured engine from a recording of a real vLLM: the pages up to its restart, needed families only.

usage: make_demo_engine.py scrapes.jsonl.gz collectors/demo/engine.jsonl.gz

Input: one JSON object a scrape, {"t", "url", "status", "text"}, or "diff": {line number: text} against the one before.
Output: one JSON object a second, {"page": text} first, then {"diff": {line number: text}}.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator

NEEDED = (
    *(
        "num_requests_(?:running|waiting)(?!_)",
        "kv_cache_usage_perc",
        "generation_tokens_total",
        "request_success_total",
    ),
    *(
        "prompt_tokens_(?:total|cached_total)",
        "prefix_cache_",
        "num_preemptions",
        "request_params_n",
        "engine_sleep_state",
    ),
    *("time_to_first_token", "inter_token_latency", "e2e_request_latency", "request_queue_time", "cache_config_info"),
    "request_(?:prompt|generation)_tokens",
)
KEPT = re.compile(
    rf"(?:# TYPE )?(?:process_start_time_seconds|http_requests_total|vllm:(?!.*_created)(?:{'|'.join(NEEDED)}))"
)


def pages(path: str) -> Iterator[str]:
    last: list[str] = []
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            if not row["url"].endswith("/metrics"):
                continue
            if "text" in row:
                last = row["text"].split("\n")
            for number, text in row.get("diff", {}).items():
                last[int(number)] = text
            if row["status"] == 200:
                yield "\n".join(last)
            else:
                return


def trimmed(page: str) -> list[str]:
    return [line for line in page.split("\n") if KEPT.match(line)]


def main(source: str, target: str) -> None:
    before: list[str] = []
    with gzip.GzipFile(target, "wb", mtime=0) as out:
        for lines in map(trimmed, pages(source)):
            if len(lines) != len(before):
                row: dict[str, object] = {"page": "\n".join(lines)}
            else:
                row = {"diff": {number: line for number, line in enumerate(lines) if line != before[number]}}
            before = lines
            out.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
