"""Why answers take longer: what was asked meanwhile, and no dollars."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.money.why.usage import Usage
from infertop.views.slow import slow_comparison
from tests.money.why.usages import Traffic, usage

BEFORE, AFTER = (0.0, 3600.0), (3600.0, 7200.0)
OWN = Traffic(model="llama", provider="local", key="")
SCOPE = (("model", "llama"),)


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (usage(replace(OWN, requests=3000)), "more work than before: requests 1,000 -> 3,000/h (3x)"),
        (
            usage(replace(OWN, requests=1500, prompt=8000)),
            "more work than before: prompt tokens per request 2,000 -> 8,000 (4x) and requests 1,000 -> 1,500/h (1.5x)",
        ),
        (
            usage(replace(OWN, requests=1240)),
            "hardly more work than before: requests 1,000 -> 1,240/h (1.2x); mostly the same work takes longer",
        ),
        (
            usage(replace(OWN, output=330)),
            "neither more requests nor longer ones than before: the same work takes longer",
        ),
        (Usage(()), "how many requests there were, then or before, is not known"),
    ],
)
def test_the_sentence_says_what_more_was_asked_and_no_dollars(now: Usage, sentence: str) -> None:
    found = slow_comparison(SCOPE, BEFORE, AFTER, usage(OWN), now, "14:05")
    assert found.sentence == f"{sentence}; since 14:05"
    assert (found.before_usd_per_hour, found.after_usd_per_hour) == (None, None)
    assert sum(each.usd_per_hour for each in found.effects) == 0
