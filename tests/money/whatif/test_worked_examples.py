"""The 32 worked examples of tests/payloads/prices: by the formula of the program that is about it, where there is one.

The others are plain arithmetic, which stands here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from infertop import cli
from infertop.money.cost import cost
from infertop.money.deployments import provisioned, serverless
from infertop.money.deployments.declared import Provisioned, Serverless
from infertop.money.load import parse
from infertop.money.quote import Way
from infertop.money.rates import PriceBook
from infertop.money.whatif.own import break_even, gpus_needed, tokens_per_day, usd_per_day, usd_per_million
from infertop.money.whatif.priced import blended_usd_per_million, ratio, tokens_for, traffic_cost, usd_of_tokens
from infertop.money.whatif.traffic import Traffic
from tests.money.whatif.examples import CASES, NOON, OF_MODEL, given, listed, request_usd

MILLION = 1_000_000
Answer = Mapping[str, Decimal | int | None]


def a_month_of_requests(case: str) -> Answer:
    said, one = given(case), request_usd(case)
    day = one * said["requests_per_day"]
    return {"usd_per_request": one, "usd_per_day": day, "usd_per_month": day * said["days"]}


def all_months(case: str) -> Answer:
    months = [a_month_of_requests(each)["usd_per_month"] or 0 for each in CASES[case]["inputs"]["cases"]]
    return {"usd_per_month": Decimal(sum(months))}


def tokens_of_a_gpu(case: str) -> Answer:
    said = given(case)
    usd = usd_per_million(said["gpu_usd_per_hour"], said["output_tps"])
    if "output_tokens" in said:
        return {"usd_per_request": usd_of_tokens(said["output_tokens"], usd)}
    return {"usd_per_mtok": usd, "usd_per_output_token": usd_of_tokens(1, usd)}


def full_use_of_a_gpu(case: str) -> Answer:
    said = given(case)
    return {
        "mtok_per_day": tokens_per_day(said["tps"]) / MILLION,
        "usd_per_mtok": usd_per_million(said["usd_per_gpu_hour"], said["tps"]),
    }


def gpus_day_and_night(case: str) -> Answer:
    said = given(case)
    if isinstance(said["gpus"], Decimal):
        return {"usd_per_day": usd_per_day(said["gpus"], said["usd_per_gpu_hour"])}
    (few, many), (cheap, dear) = said["gpus"], said["usd_per_gpu_hour"]
    return {"low_usd_per_day": usd_per_day(few, cheap), "high_usd_per_day": usd_per_day(many, dear)}


def training(case: str) -> Answer:
    usd = given(case)["training_usd"] / given(case)["lifetime_tokens"]
    return {"usd_per_token": usd, "usd_per_mtok": usd * MILLION}


def two_to_one(case: str) -> Answer:
    assert CASES[case]["inputs"]["input_share"] == "2/3"
    traffic = Traffic(Decimal(3600), {Way(): {"input": 2, "output": 1}})
    models = {"gpt4o": "gpt-4o", "claude35": "claude-3.5-sonnet", "mini": "gpt-4o-mini"}
    answers: dict[str, Decimal | None] = {}
    for name, model in models.items():
        fresh, out = given(case)[name]
        quote = listed(model, input=fresh, output=out)
        priced = traffic_cost(traffic, lambda _way, quote=quote: quote)  # type: ignore[misc]
        answers["claude" if name == "claude35" else name] = blended_usd_per_million(priced.usd, traffic.all_tokens)
    return answers


def against_an_api(case: str) -> Answer:
    said = given(case)
    point = break_even(said["usd_per_day"] / 24, said["api_usd_per_mtok"], tps_of("S2-15"))
    assert point is not None
    assert point.capacity is not None
    assert point.reachable is (point.tokens_per_day <= point.capacity)
    return {
        "breakeven_mtok_per_day": point.tokens_per_day / MILLION,
        "gpu_capacity_mtok_per_day_max": point.capacity / MILLION,
        "breakeven_utilisation": point.utilization,
    }


def tps_of(case: str) -> Decimal:
    tps: Decimal = given(case)["tps"]
    return tps


def batch(case: str) -> Answer:
    said = given(case)
    text = (
        f'[model."gpt-4o"]\ninput = {said["list_in"]}\noutput = {said["list_out"]}\nbatch = {said["batch_multiplier"]}'
    )
    own = PriceBook(parse(text.encode(), "pricing.toml", {})).quote("openai", "gpt-4o", NOON, Way(batch=True))
    assert own is not None
    by_list = listed("gpt-4o", Way(batch=True))
    assert [own.prices[name].usd for name in ("input", "output")] == [
        by_list.prices[name].usd for name in ("input", "output")
    ]
    return {"usd_in": own.prices["input"].usd, "usd_out": own.prices["output"].usd}


def seconds_of_a_worker(case: str) -> Answer:
    said = given(case)
    terms = Serverless(usd_per_second=Decimal(1), idle_usd_per_second=Decimal(0))
    hour = serverless.hour(terms, said["requests_per_hour"], said["seconds_each"])
    return {"gpu_seconds_per_hour": hour.busy, "utilisation": serverless.utilisation(hour.busy)}


def agent(case: str) -> Answer:
    said = given(case)
    fresh, out = said["price"]
    step = {"input": int(said["input_tokens"]), "output": int(said["output_tokens"])}
    steps = int(said["steps"])
    tokens = {name: count * steps for name, count in step.items()}
    quote = listed("gpt-4o", input=fresh, output=out)
    run, direct = cost(quote, tokens), cost(quote, {"input": step["input"]})  # compared with a prompt without an answer
    return {
        "input_tokens": tokens["input"],
        "output_tokens": tokens["output"],
        "input_usd": run.by_class["input"],
        "output_usd": run.by_class["output"],
        "usd_per_query": run.usd,
        "ratio_to_direct": ratio(run.usd, direct.usd),
    }


def reserved(case: str) -> Answer:
    said = given(case)
    terms = Provisioned(usd_per_hour=Decimal(1), formula="", tokens_per_minute=said["reserved_tpm"])
    used = [provisioned.utilisation(terms, {"input": each * 60}) for each in said["used_tpm"]]
    return {"utilisation_80k": used[0], "utilisation_40k": used[1]}


def latency(case: str) -> Answer:
    slow, fast = (given(case)["output_tokens"] / tps for tps in given(case)["tps"])
    return {"seconds_slow": slow, "seconds_fast": fast}


def product(of: str, one: str, other: str, per: int = 1) -> Callable[[str], Answer]:
    """The answer of a case that multiplies two of its figures."""
    return lambda case: {of: given(case)[one] * given(case)[other] / per}


def reduction(case: str) -> Answer:
    old, new = given(case)["old"], given(case)["new"]
    return {"reduction_fraction": (old - new) / old}


def stopped(case: str) -> Answer:
    said = given(case)
    return {"saved_usd": usd_of_tokens(said["output_tokens"] - said["stop_after"], said["price_out"])}


def a_request(case: str) -> Answer:
    said = given(case)
    fresh, out = said["price"]
    tokens = {"input": int(said["input_tokens"]), "output": int(said["output_tokens"])}
    return {"usd_per_request": cost(listed("claude-3.5-sonnet", input=fresh, output=out), tokens).usd}


ANSWERS: dict[str, Callable[[str], Answer]] = {
    "S0-1": tokens_of_a_gpu,
    "S0-2": tokens_of_a_gpu,
    "S0-3": product("usd_per_request", "gpu_usd_per_hour", "gpu_seconds", per=3600),
    "S1-1": product("usd_per_month", "usd_per_query", "queries_per_month"),
    "S1-2": product("usd_per_month", "usd_per_query", "queries_per_month"),
    "S2-1": a_month_of_requests,
    "S2-2": a_month_of_requests,
    "S2-3": a_month_of_requests,
    "S2-4": a_month_of_requests,
    "S2-5": all_months,
    "S2-6": training,
    "S2-7": reduction,
    "S2-8": lambda case: {
        f"ratio_{side}": ratio(given(case)[f"a_{side}"], given(case)[f"b_{side}"]) for side in ("in", "out")
    },
    "S2-9": product("tokens_per_day", "requests_per_day", "tokens"),
    "S2-10": product("usd_per_day", "usd_per_request", "requests_per_day"),
    "S2-11": gpus_day_and_night,
    "S2-12": gpus_day_and_night,
    "S2-13": gpus_day_and_night,
    "S2-14": full_use_of_a_gpu,
    "S2-15": full_use_of_a_gpu,
    "S2-16": two_to_one,
    "S2-17": against_an_api,
    "S2-18": against_an_api,
    "S2-19": batch,
    "S2-20": seconds_of_a_worker,
    "S2-21": agent,
    "S2-22": stopped,
    "S2-23": reserved,
    "S2-24": latency,
    "S2-25": lambda case: {
        "input_tokens_at_threshold": tokens_for(given(case)["threshold_usd"], given(case)["price_in"])
    },
    "S3-1": a_request,
    "S3-2": product("usd_per_month", "usd_per_request", "calls"),
}


def to_12_decimals(amount: Decimal | int | None) -> Decimal:
    assert amount is not None
    return Decimal(amount).quantize(Decimal("1e-12"))


def test_every_example_has_an_answer() -> None:
    assert set(ANSWERS) == set(CASES)
    assert len(CASES) == 32


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_worked_example_comes_out_to_its_12_decimals(case: str) -> None:
    answer = ANSWERS[case](case)
    expected = {name: Decimal(value) for name, value in CASES[case]["expected"].items()}
    assert {name: to_12_decimals(answer[name]) for name in expected} == expected


def test_volume_alone_never_pays_on_a_gpu_that_cannot_serve_it() -> None:
    never = break_even(Decimal(3), Decimal("0.30"), Decimal(640))
    assert never is not None
    assert never.utilization is not None
    assert (never.reachable, round(never.utilization * 100)) == (False, 434)
    for_ten = break_even(Decimal(3), Decimal("0.30"), Decimal(640), 10)
    assert for_ten is not None
    assert replace(for_ten, tokens_per_day=Decimal(0), capacity=Decimal(0)) == replace(
        never, tokens_per_day=Decimal(0), capacity=Decimal(0)
    )


@pytest.mark.parametrize(
    ("tokens_per_day", "tps", "gpus"), [(10**8, 640, 2), (10**8, 160, 8), (10**9, 640, 19), (10**9, 160, 73)]
)
def test_what_a_load_needs_in_gpus(tokens_per_day: int, tps: int, gpus: int) -> None:
    # The notes of S2-12 and S2-13: 1.81 to 7.23, and 18.1 to 72.3 of them.
    assert gpus_needed(Decimal(tokens_per_day) / 86_400, Decimal(tps)) == gpus


REQUESTS = {
    "S2-1": "gpt-4o",
    "S2-2": "claude-3.5-sonnet",
    "S2-3": "gpt-4o-mini",
    "S2-4": "claude-3.5-sonnet",
    "S3-1": "claude-3.5-sonnet",
}


def test_the_command_prices_the_same_requests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = tmp_path / "usage.jsonl"
    with records.open("w") as lines:
        for case, model in REQUESTS.items():
            provider, name = OF_MODEL[model]
            tokens = {side: CASES[case]["inputs"][f"{side}_tokens"] for side in ("input", "output")}
            record = {"id": case, "provider": provider, "model": name, "at": "2026-11-22T12:00:00Z", "tokens": tokens}
            lines.write(json.dumps(record) + "\n")
    assert cli.main(["cost", str(records)]) == 0
    said = {each["id"]: each["usd"] for each in map(json.loads, capsys.readouterr().out.splitlines())}
    assert said == {case: CASES[case]["expected"]["usd_per_request"] for case in REQUESTS}
