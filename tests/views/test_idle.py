"""Whose GPUs stand idle for more dollars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.why.usage import Usage, UsageLine
from infertop.views.event_shapes import Comparison
from infertop.views.idle import idle_comparison

SPANS = (0.0, 3600.0), (3600.0, 7200.0)


def usage(idle: dict[str, float], requests: dict[str, float] | None = None) -> Usage:
    lines = [UsageLine({"model": model}, "gpu_idle", 1.0, round(usd * 1e9)) for model, usd in idle.items()]
    lines += [UsageLine({"model": model}, "requests", count) for model, count in (requests or {}).items()]
    return Usage(tuple(lines))


def test_a_model_that_nobody_asks_any_more_is_named_with_its_part_of_the_rise() -> None:
    before = usage({"qwen": 0.5, "llama": 0.8}, {"qwen": 900.0, "llama": 50.0})
    after = usage({"qwen": 4.98, "llama": 0.85}, {"llama": 50.0})
    found = idle_comparison(*SPANS, before, after, "18:00")
    assert found.sentence == (
        "qwen gets no requests any more: its GPU stands idle, $0.50 -> $4.98/h is 99 % of it; since 18:00; +$4.53/h"
    )
    assert found.changes[0].name == "qwen"


def test_a_model_that_is_asked_still_only_stands_idle_and_gpus_of_nobody_are_called_so() -> None:
    found = idle_comparison(*SPANS, usage({"": 1.0}, {"": 5.0}), usage({"": 2.0}, {"": 5.0}), "09:00")
    assert found.sentence == "GPUs that no model holds stand idle, $1.00 -> $2.00/h; since 09:00; +$1.00/h"
    assert "no more than before" in idle_comparison(*SPANS, usage({"a": 1.0}), usage({"a": 1.0}), "09:00").sentence


def gpus(model: str, *idle: float, first: int = 0) -> list[UsageLine]:
    """GPUs of a model at $4 an hour, each idle for that share of it."""
    return [
        UsageLine({"model": model}, resource, part * 3.6e6, round(4e9 * part), gpu=f"GPU-{first + n}")
        for n, share in enumerate(idle)
        for resource, part in (("gpu_busy", 1 - share), ("gpu_idle", share))
    ]


def told(before: list[UsageLine], after: list[UsageLine]) -> Comparison:
    return idle_comparison(*SPANS, Usage(tuple(before)), Usage(tuple(after)), "09:00")


def test_a_gpu_that_was_added_is_told_as_one_more_and_not_as_idle_time() -> None:
    found = told(gpus("qwen", 0.1, 0.1), gpus("qwen", 0.15, 0.1, 0.9))
    assert found.sentence == (
        "1 GPU was added for qwen (2 -> 3); idle GPU time $0.80 -> $4.60/h; since 09:00; +$3.80/h"
    )
    assert [(each.factor, each.usd_per_hour, each.before, each.after) for each in found.effects] == [
        ("gpu_count", pytest.approx(3.6), 2, 3),
        ("idle GPU time", pytest.approx(0.2), pytest.approx(0.8), pytest.approx(4.6)),
    ]


def test_gpus_that_another_model_held_before_and_gpus_that_nobody_holds_are_called_so() -> None:
    before = [*gpus("qwen", 0.1), *gpus("llama", 0.1, first=1)]
    assert told(before, gpus("qwen", 0.1, 0.9)).sentence == (
        "qwen holds 1 GPU more (1 -> 2); idle GPU time $0.40 -> $4.00/h is 100 % of it; since 09:00; +$3.20/h"
    )
    assert told(gpus("qwen", 0.1), [*gpus("qwen", 0.1), *gpus("", 1.0, 1.0, first=1)]).sentence == (
        "2 GPUs were added that no model holds (0 -> 2); idle GPU time $0.00 -> $8.00/h is 100 % of it;"
        " since 09:00; +$8.00/h"
    )
    assert told(gpus("qwen", 0.1), gpus("", 1.0)).sentence.startswith("no model holds 1 GPU any more (0 -> 1)")


COSTS = st.dictionaries(st.sampled_from(["a", "b", "c", ""]), st.floats(0, 1e4), max_size=4)


IDLE = st.lists(st.floats(0, 1), max_size=4)


@given(IDLE, IDLE, IDLE, IDLE, st.integers(0, 3))
def test_effects_of_gpus_that_come_and_go_sum_to_the_change(
    one: list[float], two: list[float], three: list[float], four: list[float], first: int
) -> None:
    found = told([*gpus("a", *one), *gpus("b", *two, first=2)], [*gpus("a", *three, first=first), *gpus("", *four)])
    assert found.before_usd_per_hour is not None
    assert found.after_usd_per_hour is not None
    change = round((found.after_usd_per_hour - found.before_usd_per_hour) * 1e9)
    assert sum(round(each.usd_per_hour * 1e9) for each in found.effects) == change


@given(COSTS, COSTS)
def test_effects_sum_to_the_change(one: dict[str, float], two: dict[str, float]) -> None:
    found = idle_comparison(*SPANS, usage(one), usage(two), "09:00")
    assert found.before_usd_per_hour is not None
    assert found.after_usd_per_hour is not None
    change = found.after_usd_per_hour - found.before_usd_per_hour
    assert sum(each.usd_per_hour for each in found.effects) == pytest.approx(change, abs=1e-8)
