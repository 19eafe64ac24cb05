"""Whose GPUs stand idle for more dollars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.why.usage import Usage, UsageLine
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
        "qwen is asked nothing any more: its GPU stands idle, $0.50 -> $4.98/h is 99 % of it; since 18:00; +$4.53/h"
    )
    assert found.changes[0].name == "qwen"


def test_a_model_that_is_asked_still_only_stands_idle_and_gpus_of_nobody_are_called_so() -> None:
    found = idle_comparison(*SPANS, usage({"": 1.0}, {"": 5.0}), usage({"": 2.0}, {"": 5.0}), "09:00")
    assert found.sentence == "GPUs that no model holds stand idle, $1.00 -> $2.00/h; since 09:00; +$1.00/h"
    assert "no more than before" in idle_comparison(*SPANS, usage({"a": 1.0}), usage({"a": 1.0}), "09:00").sentence


COSTS = st.dictionaries(st.sampled_from(["a", "b", "c", ""]), st.floats(0, 1e4), max_size=4)


@given(COSTS, COSTS)
def test_effects_sum_to_the_change(one: dict[str, float], two: dict[str, float]) -> None:
    found = idle_comparison(*SPANS, usage(one), usage(two), "09:00")
    assert found.before_usd_per_hour is not None
    assert found.after_usd_per_hour is not None
    change = found.after_usd_per_hour - found.before_usd_per_hour
    assert sum(each.usd_per_hour for each in found.effects) == pytest.approx(change, abs=1e-8)
