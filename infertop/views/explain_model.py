"""How the figures of a model were come by."""

from __future__ import annotations

from infertop.views.costs import ModelCost
from infertop.views.explain_gpu import usd
from infertop.views.facts import Facts
from infertop.views.shapes import Explained, ModelRow, Quantiles

_NOT_COUNTED = "this engine does not count requests"


def model_figures(facts: Facts, row: ModelRow) -> dict[str, Explained]:
    """Return the explanations of a model's columns."""
    cost = facts.costs.models.get((row.source, row.model), ModelCost())
    return {
        "usd_per_hour": Explained(f"$/h  {usd(row.usd_per_hour)}", _hour(facts, row, cost)),
        "usage_usd_per_hour": Explained(
            f"usage  {usd(row.usage_usd_per_hour)}/h", ("its busy part alone; models' usage + idle = gpu",)
        ),
        "usd_per_request": Explained(f"$/request  {usd(row.usd_per_request, 6)}", _request(row)),
        "usd_per_million": Explained(f"$/1M  {usd(row.usd_per_million.get('blended'))}", _million(row)),
        "tokens_per_second": Explained("tok/s", _tokens(row)),
        "ttft": Explained("time to first token", _latency(row.ttft, "prompt and queue, by the engine's histogram")),
        "inter_token": Explained("inter-token latency", _latency(row.inter_token, "between two output tokens")),
        "kv_cache_usage": Explained(
            "KV cache", ("share of its blocks in use now; with several ranks their mean",) if row.kv_cache_usage else ()
        ),
        "shadow_margin_usd_per_hour": Explained("margin", _margin(facts, row)),
    }


def _hour(facts: Facts, row: ModelRow, cost: ModelCost) -> tuple[str, ...]:
    age = "unknown" if row.age_seconds is None else f"{row.age_seconds:.0f} s"
    lines = [f"{row.basis}, all-in, over {row.window_seconds:.0f} s, {age} old, from {row.source}"]
    by_uuid = {gpu.at.gpu: gpu for gpu in facts.costs.gpus}
    for uuid in cost.gpus:
        gpu = by_uuid[uuid]
        share = sum(
            each.all_in for each in gpu.allocation.shares if (each.source, each.model) == (row.source, row.model)
        )
        lines.append(f"  {share:.1%} of GPU {gpu.index} {gpu.at.name} at {usd(gpu.usd_per_hour)}/h")
    lines += [f"  {method}" for method in dict.fromkeys(cost.methods) if method]
    if not cost.gpus and cost.all_in is None:
        lines.append("  no GPU of it is known and [host] has no price: its cost is unknown")
    return tuple(lines)


def _request(row: ModelRow) -> tuple[str, ...]:
    if row.requests_per_second is None:
        return (f"{_NOT_COUNTED}, so a request has no price",)
    requests = row.requests_per_second * row.window_seconds
    lines = [f"{usd(row.usd_per_hour)}/h x {row.window_seconds:.1f} s / 3600 / {requests:,.0f} requests finished"]
    if row.kind == "vllm":
        lines.append("finished: request_params_n_count, where the engine has it; given up ones are only in the tokens")
    return tuple(lines)


def _million(row: ModelRow) -> tuple[str, ...]:
    lines = [f"{usd(row.usd_per_hour)}/h over the window / its tokens of all classes (blended)"]
    prices = ((name, row.usd_per_million.get(name)) for name in ("input", "cache_read", "output"))
    lines += [f"  {name} {usd(price)}" for name, price in prices if price is not None]
    lines.append("by class: tokens weighted 1 : 0.1 : 4, or as the model's shadow prices are; they sum to the cost")
    return tuple(lines)


def _tokens(row: ModelRow) -> tuple[str, ...]:
    lines = [f"what the engine counted over {row.window_seconds:.1f} s, a second"]
    words = {
        "input": "prompt tokens computed afresh",
        "cache_read": "prompt tokens from its cache",
        "output": "generated",
    }
    for name, text in words.items():
        rate = row.tokens_per_second.get(name)
        lines.append(f"  {name} {'not reported' if rate is None else f'{rate:,.1f}'}: {text}")
    return tuple(lines)


def _latency(shown: Quantiles, what: str) -> tuple[str, ...]:
    if not shown.count:
        return ()
    return (
        f"{what}; {shown.count:,.0f} observations in the window",
        "read off buckets: a figure lies between its bounds",
    )


def _margin(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    shadow = facts.prices.shadow_price(row.model, facts.now)
    if not shadow:
        return ()
    used = [name for name, rate in row.tokens_per_second.items() if rate is not None and name in shadow]
    prices = ", ".join(f"{name} ${shadow[name].usd} ({shadow[name].source})" for name in used)
    return ("what the shadow price would bring an hour, less $/h; never part of spend", f"  per 1M: {prices}")
