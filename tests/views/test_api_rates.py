"""What APIs cost now: the newest whole minutes of what providers and logs tell, and what is not known of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.history.summary import Key, Minute, Summary, Totals
from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.views.api_rates import ApiRates, Teller, api_rates
from infertop.views.costs import costs
from infertop.views.explain import figures
from infertop.views.facts import Facts, Past
from infertop.views.meters import Meters
from infertop.views.model_page import model_page
from infertop.views.model_rows import model_rows
from infertop.views.overview import overview
from tests.views.calculator import check

NOON = 1_795_348_800
GPT: Key = ("openai", "gpt-4o")
TOOLS: Key = ("openai", None)


def said(usd: int | None, tokens: int = 0, requests: int = 0, **more: int) -> Totals:
    """What a minute has: input tokens, requests, and all of its cost on the input."""
    quantities = {name: count for name, count in {"input": tokens, "requests": requests, **more}.items() if count}
    return Totals(quantities, usd, 0, {} if usd is None else {"input": usd})


def minute(before_noon: int, rows: dict[Key, Totals], **more: object) -> Minute:
    """The minute that begins so many minutes before noon."""
    given = Minute(NOON - 60 * before_noon, 60_000, rows, sum(each.usd_nano or 0 for each in rows.values()))
    return replace(given, **more)


def summed(*minutes: Minute, **more: object) -> Summary:
    made = Summary(ts=NOON, minutes=minutes, closed=NOON, providers={GPT: ("openai",), TOOLS: ("openai",)})
    return replace(made, **more)


def rates(summary: Summary, until: float | None = NOON - 600, now: float = NOON, **more: bool) -> ApiRates:
    return api_rates(summary, [Teller("openai", until, **more)], now)


def test_the_rate_is_that_of_the_newest_fifteen_minutes_that_are_whole() -> None:
    each = said(10**9, tokens=900, requests=3)
    # The minutes before and behind the window, and one that is not whole yet.
    found = rates(summed(*(minute(n, {GPT: each}) for n in (26, 25, 18, 11, 10, 3))))
    use = found.use(*GPT)
    assert use is not None
    assert use.used == said(3 * 10**9, tokens=2700, requests=9)
    assert use.usd_per_hour == pytest.approx(12.0)
    assert found.usd_per_hour == pytest.approx(12.0)
    assert (found.windows["openai"].start, found.windows["openai"].until) == (NOON - 1500, NOON - 600)


def test_the_newest_minutes_fill_up_without_a_fall_before_they_are_whole() -> None:
    whole = [minute(n, {GPT: said(10**9, 100, 1)}) for n in range(25, 10, -1)]
    filling = [minute(n, {GPT: said(10**8, 10, 1)}) for n in range(10, 0, -1)]
    assert rates(summed(*whole, *filling)).usd_per_hour == pytest.approx(60.0)
    assert rates(summed(*whole, *filling), until=NOON).usd_per_hour == pytest.approx((5 + 1.0) * 4)


def test_a_silent_window_is_nothing_where_it_is_whole_and_unknown_where_it_is_not() -> None:
    used_before = summed(today={GPT: said(10**9, 100)})
    whole, not_yet = rates(used_before), rates(used_before, until=None)
    assert (whole.usd_per_hour, not_yet.usd_per_hour) == (0.0, None)
    use = not_yet.use(*GPT)
    assert use is not None
    assert (use.used, use.usd_per_hour, use.trend) == (None, None, ())


def test_minutes_that_are_too_old_are_no_rate_of_now() -> None:
    old = summed(*(minute(n, {GPT: said(10**9)}) for n in range(59, 40, -1)))
    found = rates(old, until=NOON - 2701)
    assert found.usd_per_hour is None
    assert "45 min old" in found.windows["openai"].why
    assert rates(old, until=NOON - 2699).usd_per_hour is not None


def test_what_has_no_price_is_unknown_beside_what_has_one() -> None:
    other = ("openai", "gpt-9")
    found = rates(summed(minute(12, {GPT: said(10**9, 5), other: said(None, 7)})))
    unpriced = found.use(*other)
    assert unpriced is not None
    assert (unpriced.usd_per_hour, found.usd_per_hour) == (None, pytest.approx(4.0))


def test_what_only_attributes_is_in_no_sum_and_of_what_counts_in_part_that_part_is() -> None:
    log, mixed = ("openai", "log-4"), ("openai", "mixed-4")
    rows = {GPT: said(10**9), log: said(5 * 10**9), mixed: said(3 * 10**9)}
    found = rates(summed(minute(12, rows, apart=frozenset({log}), partly={mixed: 10**9})))
    assert found.usd_per_hour == pytest.approx(8.0)
    attributed = found.use(*log)
    assert attributed is not None
    assert (attributed.counts, attributed.usd_per_hour) == (False, pytest.approx(20.0))


def test_a_log_is_told_up_to_its_last_poll_and_a_gateway_as_far_as_it_was_recorded() -> None:
    running = summed(*(minute(n, {GPT: said(10**9)}, covered_ms=60_000 if n < 5 else 0) for n in range(14, -1, -1)))
    now = NOON + 30.0
    log, gateway = rates(running, until=now, now=now), rates(running, until=now, now=now, recorded=True)
    assert log.windows["openai"].seconds == 870
    assert log.usd_per_hour == pytest.approx(15 * 3600 / 870)
    assert gateway.windows["openai"].seconds == 300
    nothing = rates(summed(minute(3, {GPT: said(10**9)}, covered_ms=0)), until=now, now=now, recorded=True)
    assert nothing.usd_per_hour is None


def facts_of(summary: Summary, until: float | None = NOON - 600, prices: str = "", kind: str = "openai") -> Facts:
    now = float(NOON)
    state = State()
    state.apply_health(Health("openai", kind, SourceState.UP, now - 20, now - 20, 0.1, address="api.openai.com"))
    book, api, meters = PriceBook(parse(prices.encode())), rates(summary, until), Meters(state, 60.0)
    totals = {
        (source, model or "(no model)"): {**row.quantities, "usd": None if row.usd_nano is None else row.usd_nano / 1e9}
        for (source, model), row in summary.today.items()
    }
    return Facts(
        now=now,
        state=state,
        healths=state.healths(),
        meters=meters,
        prices=book,
        costs=replace(costs((), meters, book, now, frozenset()), told=api.usd_per_hour),
        past=Past(totals=totals),
        interval_seconds=1.0,
        timezone="UTC",
        host="box",
        mode="live",
        api=api,
    )


def test_what_tells_dollars_alone_has_no_tokens_rather_than_none_a_second() -> None:
    grok = Totals({"cost": 4 * 10**9}, 4 * 10**9, 0, {"cost": 4 * 10**9})
    (row,) = model_rows(facts_of(summed(minute(12, {GPT: grok}), today={GPT: grok})))
    assert row.usd_per_hour == pytest.approx(16.0)
    assert (row.trend, row.tokens_per_second, row.requests_per_second, row.cache_hit_ratio) == ((), {}, None, None)


USED = Totals(
    {"input": 1_200_000, "cache_read": 300_000, "output": 90_000, "requests": 120},
    4_275_000_000,
    0,
    {"input": 3_000_000_000, "cache_read": 375_000_000, "output": 900_000_000},
)


def test_the_headline_and_the_rows_show_what_providers_told_with_its_age() -> None:
    view = overview(facts_of(summed(minute(12, {GPT: USED, TOOLS: said(3 * 10**7)}), today={GPT: USED})))
    assert view.headline.api_usd_per_hour == pytest.approx(4 * 4.305)
    assert view.headline.usd_per_hour == view.headline.api_usd_per_hour
    assert view.window_seconds == 0.0  # nothing was measured
    gpt, tools = view.models
    assert (gpt.model, gpt.provider, gpt.basis, gpt.age_seconds, gpt.window_seconds) == (
        "gpt-4o",
        "openai",
        "computed",
        600.0,
        900.0,
    )
    assert gpt.usd_per_hour == pytest.approx(17.1)
    assert gpt.usd_per_request == pytest.approx(0.035625)
    assert gpt.requests_per_second == pytest.approx(120 / 900)
    assert gpt.tokens_per_second == pytest.approx({"input": 1333.3333, "cache_read": 333.3333, "output": 100.0})
    paid = {"input": 2.5, "cache_read": 1.25, "output": 10.0, "blended": 4.275 / 1.59}
    assert gpt.usd_per_million == pytest.approx(paid)
    assert (gpt.prompt_tokens_per_request, gpt.cache_hit_ratio) == (12_500.0, 0.2)
    assert (tools.model, tools.requests_per_second) == ("(no model)", None)


def test_the_class_prices_times_their_rates_sum_to_the_cost_an_hour() -> None:
    (row,) = model_rows(facts_of(summed(minute(12, {GPT: USED}))))
    rates = [(row.tokens_per_second[name] or 0.0) * (row.usd_per_million[name] or 0.0) for name in USED.stated]
    assert sum(rates) * 3600 / 1e6 == pytest.approx(row.usd_per_hour)


def test_every_column_of_such_a_row_is_explained_and_its_arithmetic_is_right() -> None:
    facts = facts_of(summed(minute(12, {GPT: USED}), today={GPT: USED}))
    told = figures(facts, "models", "openai\tgpt-4o")
    assert not [name for name, each in told.items() if not each.lines]
    assert sum(check(each) for each in told.values()) >= 7
    hour = "\n".join(told["usd_per_hour"].lines)
    assert "= 4.275 x 3600 / 900 = 17.1 USD/h" in hour
    assert "the newest 15 min that openai has told whole; they ended 10 min ago, asked 20 s ago" in hour
    assert "input: 1200000 tokens, $3" in hour
    assert "per 1M now: input $2.5, cache_read $1.25, output $10; snapshot" in hour
    head = figures(facts, "headline", "")["api_usd_per_hour"]
    check(head)
    assert "openai gpt-4o: $17.1/h, computed" in "\n".join(head.lines)


def test_what_is_not_known_says_why() -> None:
    (row,) = model_rows(facts := facts_of(summed(today={GPT: USED}), until=NOON - 7200))
    assert (row.usd_per_hour, row.requests_per_second, row.tokens_per_second) == (None, None, {})
    assert (row.totals["input"], row.age_seconds) == (1_200_000, 7200.0)
    told = figures(facts, "models", "openai\tgpt-4o")
    assert told["usd_per_hour"].lines[0].startswith("unknown: its newest whole minute is 2 h old")


def test_the_age_of_a_provider_is_that_of_what_it_has_told_and_not_of_the_last_poll() -> None:
    facts = facts_of(summed(minute(12, {GPT: USED})))
    (row,) = overview(facts).sources
    assert row.age_seconds == 600.0
    said = figures(facts, "sources", "openai")["age_seconds"].lines
    assert said == ("the newest 15 min that openai has told whole; they ended 10 min ago, asked 20 s ago",)
    (never,) = overview(facts_of(summed(), until=None)).sources
    assert never.age_seconds == 20.0


def test_its_page_opens() -> None:
    page = model_page(facts_of(summed(minute(12, {GPT: USED}))), "openai", "gpt-4o")
    assert page.row.usd_per_hour == pytest.approx(17.1)
    assert page.gpus == ()
