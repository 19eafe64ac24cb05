"""How the figures of a model were come by: what it does, and how fast. What it costs is in `explain_cost.py`."""

from __future__ import annotations

from collections.abc import Mapping

from infertop.readings.registry import METRICS, TOKEN_CLASSES
from infertop.readings.safe import safe
from infertop.views.explain_api import api_figures, use_figures
from infertop.views.explain_cost import cost_figures
from infertop.views.facts import Facts
from infertop.views.shapes import Explained, ModelRow, Quantiles
from infertop.views.wording import number, read_ago

# A column, its title, the metric it is from, and how it is summed.
_READINGS = (
    ("running", "running", "running", "now, all ranks together"),
    ("waiting", "waiting", "waiting", "now, all ranks together"),
    ("kv_cache_usage", "KV cache", "kv_cache_usage", "now; with several ranks their mean"),
    ("kv_cache_peak", "KV cache, highest", "kv_cache_usage", "the highest of the window, of any rank"),
    ("preemptions_per_second", "preemptions", "preemptions", "a second, over the window"),
    ("failed_per_second", "failed", "requests_failed", "a second, over the window"),
    ("aborted_per_second", "aborted", "requests_aborted", "a second, over the window"),
    ("prefill_gpu_ratio", "GPU prefill", "prefill_gpu_seconds_total", "a second, over the window"),
    ("decode_gpu_ratio", "GPU decode", "decode_gpu_seconds_total", "a second, over the window"),
    ("asleep", "asleep", "asleep", "now, of its ranks"),
)
_LATENCIES = (
    ("ttft", "time to first token", "ttft_seconds", "queue and prompt"),
    ("inter_token", "inter-token latency", "inter_token_seconds", "between two output tokens"),
    ("request", "request time", "request_seconds", "from arrival to the last token"),
    ("queue", "queue time", "queue_seconds", "before work on it began"),
)
_COUNTED = ("counts", "counted_by")
_STATED = "its cost is what a provider or a log told of the newest whole minutes, at the prices that held for them"
_MARKS = ("marked", "mark", "mark_note")
# What a table says of a model beside its figures.
SAID = frozenset(
    (
        "model",
        "source",
        "kind",
        "provider",
        "state",
        "age_seconds",
        "window_seconds",
        "trend",
        *_MARKS,
        *_COUNTED,
        "stated",
    )
)


def model_figures(facts: Facts, row: ModelRow) -> dict[str, Explained]:
    """Return the explanations of a model's columns, money first."""
    tokens = Explained("tok/s", _tokens(row))
    name = Explained("model", (f"{safe(row.model, 80)}: as {safe(row.source, 80)} names it ({safe(row.kind)})",))
    age = read_ago(row.age_seconds)
    state = Explained("state", (f"{row.state}: {safe(row.source, 80)}, {age}; grey where a figure is old",))
    told = api_figures(facts, row) if row.stated else {}
    used = {} if row.source in {each.source for each in facts.engines} else use_figures(facts, row)
    return {
        **(cost_figures(facts, row) | told),
        "tokens_per_second": tokens,
        "prompt": Explained("prompt/s", (_summed(row, prompt=True),)),
        "output": Explained("out/s", (_summed(row, prompt=False),)),
        "requests_per_second": Explained("req/s", _requests(row)),
        **{column: _reading(row, column, *how) for column, *how in _READINGS},
        **{column: _latency(row, column, *how) for column, *how in _LATENCIES},
        "cache_hit_ratio": Explained("hits", _hits(row)),
        "failed_by_reason": Explained("failed, by reason", _by_reason(row.failed_by_reason, "a failure")),
        "answers_by_reason": Explained("answers, by reason", _by_reason(row.answers_by_reason, "an answer's end")),
        "stuck": Explained("stuck", _stuck(row)),
        "draft_acceptance_ratio": Explained("drafts taken", _drafts(facts, row)),
        "prompt_tokens_per_request": Explained("prompt/req", _length(row, "prompt", row.prompt_tokens_per_request)),
        "output_tokens_per_request": Explained("output/req", _length(row, "output", row.output_tokens_per_request)),
        **dict.fromkeys(("model", "source", "kind", "provider"), name),
        **dict.fromkeys(("state", "age_seconds", "window_seconds"), state),
        **dict.fromkeys(_COUNTED, Explained("counts", (_counted(row),))),
        "stated": Explained("told", (_STATED if row.stated else "its cost is worked out from what infertop measures",)),
        **dict.fromkeys(_MARKS, Explained("mark", _mark(row))),
        "trend": Explained("trend", ("output tokens a second over the window, oldest first",)),
        **used,
    }


def _counted(row: ModelRow) -> str:
    if row.counted_by:
        return f"part of no total: {safe(row.counted_by, 80)} counts the same requests, this one tells who made them"
    return "part of totals" if row.counts else "part of no total: counts = false, or who else counts is not known yet"


def _tokens(row: ModelRow) -> tuple[str, ...]:
    known = {name: rate for name, rate in row.tokens_per_second.items() if rate is not None}
    if not known:
        return ("unknown: the engine counts no tokens, or was read only once",)
    every, seconds = _added(known), number(row.window_seconds, 1)
    lines = [
        f"{every}: what the counters rose by over {seconds} s, divided by {seconds} s, {read_ago(row.age_seconds)}"
    ]
    for name, rate in row.tokens_per_second.items():
        each = TOKEN_CLASSES.get(name)
        said = "not reported" if rate is None else f"{number(rate, 2)}/s"
        lines.append(f"  {name} {said}: {each.help if each else 'tokens'}")
    return tuple(lines)


def _added(known: dict[str, float]) -> str:
    """Return a sum in digits, the sum alone where there is one thing."""
    texts = [number(each, 2) for each in known.values()]
    whole = number(sum(known.values()), 2)
    return f"{' + '.join(texts)} = {whole}/s" if len(texts) > 1 else f"{whole}/s"


def _summed(row: ModelRow, *, prompt: bool) -> str:
    names = [
        name
        for name, rate in row.tokens_per_second.items()
        if rate is not None and name in TOKEN_CLASSES and TOKEN_CLASSES[name].prompt == prompt
    ]
    what = "prompt tokens, cached ones included" if prompt else "generated tokens"
    return f"{what}: {' + '.join(names)}" if names else f"{what}: not reported"


def _requests(row: ModelRow) -> tuple[str, ...]:
    if row.requests_per_second is None:
        return ("unknown: this engine does not count requests, or was read only once",)
    done = row.requests_per_second * row.window_seconds
    seconds = number(row.window_seconds, 1)
    rate = f"{number(done, 3)} / {seconds} = {number(row.requests_per_second, 4)}/s"
    return (f"requests finished over {seconds} s: {rate}, {read_ago(row.age_seconds)}",)


def _reading(row: ModelRow, column: str, title: str, metric: str, how: str) -> Explained:
    value: float | None = getattr(row, column)
    if value is None:
        return Explained(title, (f"unknown: the engine does not report {METRICS[metric].help}",))
    return Explained(title, (f"{number(value, 4)}: {METRICS[metric].help}, {how}, {read_ago(row.age_seconds)}",))


def _latency(row: ModelRow, column: str, title: str, metric: str, what: str) -> Explained:
    shown: Quantiles = getattr(row, column)
    if not shown.count:
        return Explained(title, (f"unknown: the engine told no {METRICS[metric].help} in the window",))
    points = ((name, getattr(shown, name)) for name in ("p50", "p95", "p99"))
    said = [f"{name} {_bracket(*point)}" for name, point in points if any(each is not None for each in point)]
    lines = [f"{what}; {number(shown.count, 1)} observations in the window, {read_ago(row.age_seconds)}"]
    if said:
        lines.append(f"  {', '.join(said)}")
        lines.append("  read off the engine's buckets: a figure lies between their bounds, in brackets")
    if shown.mean is not None:
        lines.append(f"  mean {number(shown.mean)} s: all of it together, divided by their number")
    return Explained(title, tuple(lines))


def _bracket(low: float | None, value: float | None, high: float | None) -> str:
    middle = "unknown" if value is None else f"{number(value, 4)} s"
    if low is None and high is None:
        return middle
    least, most = ("0" if low is None else number(low, 4)), ("no bound" if high is None else number(high, 4))
    return f"{middle} ({least} to {most})"


def _by_reason(told: Mapping[str, float | None], what: str) -> tuple[str, ...]:
    if not told:
        return (f"unknown: the engine has told no reason of {what}",)
    rates = told.items()
    return tuple(f"{safe(reason, 60)}: {number(rate, 4)}/s" for reason, rate in rates if rate is not None)


def _stuck(row: ModelRow) -> tuple[str, ...]:
    if not row.stuck:
        return ("not stuck: nothing is said to run, or something of it moved in the last 30 s",)
    running = number(row.running or 0.0, 1)
    return (
        f"{running} are said to run, and no counter moved for 30 s while its GPUs were idle",
        "  an engine brings its gauges up to date when it works: running, waiting and KV cache are of then",
    )


def _hits(row: ModelRow) -> tuple[str, ...]:
    if row.cache_hit_ratio is None:
        return ("unknown: the engine does not tell cached tokens apart, or had no prompts in the window",)
    rates = row.tokens_per_second
    if rates.get("cache_read") is None:
        said = number(row.cache_hit_ratio, 4)
        return (f"{said}: as the engine says it of its prefix cache; it does not count cached tokens",)
    cached, fresh = rates.get("cache_read") or 0.0, rates.get("input") or 0.0
    texts = (number(cached, 4), number(fresh, 4))
    return (
        "hits = cached prompt tokens / all prompt tokens",
        f"  = {texts[0]} / ({texts[0]} + {texts[1]}) = {number(row.cache_hit_ratio, 4)}",
    )


def _drafts(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    drafted, accepted = (
        facts.meters.increase(row.source, f"spec_{what}_tokens", model=row.model) for what in ("drafted", "accepted")
    )
    if (drafted is None or accepted is None) and row.draft_acceptance_ratio is not None:
        said = number(row.draft_acceptance_ratio, 4)
        return (f"{said}: as the engine says it of its last batches; it does not count drafts",)
    if drafted is None or accepted is None:
        return ("unknown: the engine does not report what speculation proposed, or does not speculate",)
    if row.draft_acceptance_ratio is None:
        return ("unknown: speculation proposed no token in the window",)
    texts = number(accepted.amount, 4), number(drafted.amount, 4)
    return (
        "drafts taken = proposed tokens that the model accepted / tokens that speculation proposed, over the window",
        f"  = {texts[0]} / {texts[1]} = {number(row.draft_acceptance_ratio, 4)}",
    )


def _length(row: ModelRow, what: str, value: float | None) -> tuple[str, ...]:
    if value is None:
        return ("unknown: the engine counts no requests, or none ended in the window",)
    return (f"{number(value, 1)}: {what} tokens of the window / requests finished in it",)


def _mark(row: ModelRow) -> tuple[str, ...]:
    if not row.marked:
        return ("not marked: no figure of it is beyond what is usual",)
    return (f"{safe(row.mark_note, 80)}; usual is the mean of the last 7 days, set sigma under [alert]",)
