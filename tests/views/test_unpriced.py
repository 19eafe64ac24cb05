"""What nothing has a price for is in no sum, and is said: in the headline, on `--once` and in its JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.money.rates import PriceBook
from infertop.views.facts import Past
from infertop.views.once import reading
from infertop.views.overview import overview
from infertop.views.plain import plain
from infertop.views.shapes import Headline, Overview
from infertop.views.unpriced import known_api
from tests.money.tape import START, VLLM, Gpu, book, engine, nvml
from tests.tui import sample
from tests.views.world import World
from tui.panels.headline import unpriced_words


def lived(prices: PriceBook, *gpus: Gpu) -> World:
    """An engine of one's own that works, on the GPUs that hold it, else on none."""
    world = World(prices, [VLLM])
    for second in range(31):
        ts = START + second
        world.poll(engine(ts, output_tokens=10.0 * second, requests=second))
        if gpus:
            world.poll(nvml(ts, *gpus))
    return world


def shown(world: World, told: float | None) -> Overview:
    """The overview beside a log or a provider of which this much is spent an hour."""
    facts = world.facts()
    return overview(replace(facts, costs=replace(facts.costs, told=told)))


def test_an_idle_log_does_not_make_0_of_what_models_of_unknown_cost_take() -> None:
    view = shown(lived(book(None)), told=0.0)
    assert (view.headline.usd_per_hour, view.headline.api_usd_per_hour) == (None, 0.0)
    assert view.headline.unpriced_own == 1
    assert reading(view)["usd_per_hour"]["total"] is None
    assert plain(view).splitlines()[1].startswith("$/hour -  ")


@pytest.mark.parametrize(
    ("provider", "tokens", "told", "usd"),
    [
        ("anthropic", 23.0, 0.0, None),
        ("anthropic", 23.0, 1.5, 1.5),
        ("anthropic", 0.0, 0.0, 0.0),
        ("local", 23.0, 0.0, 0.0),
    ],
)
def test_what_providers_cost_is_unknown_where_a_model_at_work_has_no_price_and_nothing_else_costs(
    provider: str, tokens: float, told: float, usd: float | None
) -> None:
    facts = lived(book(None)).facts()
    (row,) = overview(facts).models
    asked = replace(row, provider=provider, usd_per_hour=None, tokens_per_second={"output": tokens})
    assert known_api(replace(facts.costs, told=told), [asked]) == usd


def test_what_is_known_beside_it_is_shown_with_what_is_not_in_it() -> None:
    view = shown(lived(book(None)), told=1.5)
    assert view.headline.usd_per_hour == 1.5
    assert plain(view).splitlines()[2] == (
        "! without a price and in no sum: 1 model of your own where no GPU is known: set [host],"
        " or gpus of its [[source]]"
    )
    assert unpriced_words(view.headline) == ["1 own model"]


@pytest.mark.parametrize(
    ("prices", "gpus", "usd"),
    [
        (book("2.49"), [Gpu("GPU-0", 0.5, {VLLM: (1e9, 0.5)})], 2.49),
        (book(None, host="0.4"), [], 0.4),
    ],
)
def test_where_something_at_work_has_a_price_the_rest_is_0(prices: PriceBook, gpus: list[Gpu], usd: float) -> None:
    view = shown(lived(prices, *gpus), told=0.0)
    assert (view.headline.usd_per_hour, view.headline.unpriced_own) == (usd, 0)
    assert "without a price" not in plain(view)


def test_a_machine_on_which_nothing_runs_is_known_to_cost_0_at_its_providers() -> None:
    assert shown(World(book(None)), told=0.0).headline.usd_per_hour == 0.0


def test_a_reading_says_how_many_tokens_models_and_gpus_have_no_price() -> None:
    head: Headline = replace(sample.HEADLINE, unpriced=2, unpriced_models=1, unpriced_tokens=1_360_000)
    view = replace(sample.RICH, headline=head)
    assert reading(view)["unpriced"] == {"models": 1, "tokens": 1_360_000, "gpus": 2, "own_models": 0}
    assert plain(view).splitlines()[2] == (
        "! without a price and in no sum: 1 model (1,360,000 tokens today): infertop prices --unpriced;"
        " 2 GPUs: set [gpu] in pricing.toml"
    )


def test_tokens_of_today_without_a_price_are_told_by_the_ledger() -> None:
    view = overview(lived(book("2.49")).facts(past=Past(unpriced={"gpt-9": 7})))
    assert reading(view)["unpriced"] == {"models": 1, "tokens": 7, "gpus": 0, "own_models": 1}


def test_memory_is_headed_by_the_unit_it_is_in() -> None:
    title = next(line for line in plain(sample.RICH).splitlines() if line.startswith("GPU  "))
    assert "MEM GIB" in title
    assert "OF GIB" in title
