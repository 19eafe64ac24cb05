"""Why bills differ from what was computed, as far as the figures show it."""

from __future__ import annotations

from typing import Any

from infertop.views.account_shapes import DayRow
from infertop.views.drift_words import causes


def day(n: int, computed: float, billed: float, **more: Any) -> DayRow:
    given: dict[str, Any] = {"settled": True, **more}
    return DayRow("openai", n * 86400.0, (n + 1) * 86400.0, 0.0, billed_usd=billed, computed_usd=computed, **given)


def test_days_that_are_billed_alike_below_the_list_are_a_negotiated_rate_with_its_factor() -> None:
    (said,) = causes([day(n, 100.0 + n, 0.85 * (100.0 + n)) for n in range(5)], "openai")
    assert said.startswith("billed 15 % below what was computed on every day: a negotiated rate")
    assert '[provider."openai"] factor = 0.85 in pricing.toml' in said


def test_days_that_differ_each_in_its_own_way_are_none() -> None:
    (said,) = causes([day(n, 100.0, 100.0 - 10 * n) for n in range(4)], "openai")
    assert said.startswith("$60 less was billed than computed")
    (more,) = causes([day(n, 100.0, 100.0 + 10 * n) for n in range(4)], "openai")
    assert more.startswith("$60 more was billed than computed")


def test_what_no_line_matches_is_named_by_the_providers_words_and_credits_are_told_apart() -> None:
    rows = (("code interpreter sessions", 3.0), ("web search", 1.0), ("a", 0.5), ("b", 0.25), ("grant", -10.0))
    said = causes([day(n, 100.0, 94.75, unmatched_usd=-5.25, rows=rows) for n in range(2)], "openai")
    assert said == [
        "billed, and in no usage that it tells: code interpreter sessions $6, web search $2, a $1 and 1 more",
        "credits of $20 are on the bills",
    ]


def test_what_bills_never_have_and_what_has_no_price_are_told() -> None:
    days = [day(n, 100.0, 100.0, left_out_usd=2.5) for n in range(3)]
    assert causes(days, "anthropic", (("service_tier", "priority"),)) == [
        "$7.5 of use is never in its cost API (service_tier priority): it stays as computed"
    ]
    (unpriced,) = causes([day(n, 100.0, 104.0) for n in range(3)], "openai", (), 2_100_000)
    assert unpriced.startswith("2,100,000 tokens of this month have no price here")


def test_nothing_is_said_where_nothing_is_off_or_nothing_is_settled() -> None:
    assert causes([day(n, 100.0, 100.2) for n in range(9)], "openai") == []
    assert causes([day(n, 100.0, 50.0, settled=False) for n in range(9)], "openai") == []
    assert causes([], "openai") == []


def test_words_from_outside_are_made_safe() -> None:
    (said,) = causes([day(0, 1.0, 2.0, unmatched_usd=1.0, rows=(("\x1b[2J[red]x", 1.0),))], "openai")
    assert "\x1b" not in said
