"""The keys of each kind of [[deployment]], and how they become its terms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from infertop.money import checks
from infertop.money.deployments.declared import (
    ONCE,
    PERIOD_HOURS,
    Batch,
    Hardware,
    Provisioned,
    Serverless,
    Tokens,
    Weights,
)
from infertop.money.schema import Key, Reader, Table
from infertop.money.section_parts import ABOVE_0, FREE_OR_MORE
from infertop.readings.registry import TOKEN_CLASSES

HOURS_PER_MONTH = 730
_COUNT_LIMIT = 10_000


_TOKENS = {f"{name}_tokens": FREE_OR_MORE for name in TOKEN_CLASSES}
_WEIGHT = Key(checks.number(least=Decimal(0), most=Decimal(1000)))
_STEP = Key(checks.number(least=Decimal("0.001"), most=Decimal(3600)))
_COUNT = Key(checks.whole(_COUNT_LIMIT))
_FLAG = Key(checks.flag)
_PRICES = ("usd_per_hour", "usd_per_month", "usd_per_unit_hour", "usd_per_unit_month")
_APART = ("input_tokens_per_minute", "output_tokens_per_minute")
KEYS: Mapping[str, Mapping[str, Key]] = {
    "provisioned": dict.fromkeys(_PRICES, FREE_OR_MORE)
    | {"units": ABOVE_0, "tokens_per_minute": ABOVE_0, "requests_per_hour": FREE_OR_MORE}
    | dict.fromkeys(_APART, ABOVE_0)
    | {"output_weight": _WEIGHT, "cache_read_weight": _WEIGHT, "cache_write_weight": _WEIGHT}
    | _TOKENS,
    "serverless": {
        "usd_per_second": Key(checks.number(above=Decimal(0)), required=True),
        "idle_usd_per_second": FREE_OR_MORE,
        "seconds_per_request": ABOVE_0,
        "requests_per_hour": FREE_OR_MORE,
        "cold_start_seconds": FREE_OR_MORE,
        "cold_starts_per_hour": FREE_OR_MORE,
        "cold_start_billed": _FLAG,
        "idle_seconds": FREE_OR_MORE,
        "idle_billed": _FLAG,
        "round_up_to_seconds": _STEP,
        "workers": _COUNT,
        "dedicated_usd_per_hour": FREE_OR_MORE,
        "gpu": Key(checks.text),
        "gpus": _COUNT,
    }
    | _TOKENS,
    "batch": {
        "requests": Key(checks.number(above=Decimal(0)), required=True),
        "every": Key(checks.choice([*PERIOD_HOURS, ONCE])),
        "gpu": Key(checks.text),
        "gpus": _COUNT,
        "hours": ABOVE_0,
    }
    | _TOKENS,
}


def provisioned(reader: Reader, table: Table) -> tuple[Provisioned, str] | None:
    """Return the terms of provisioned throughput and where its price stands; None where they are wrong."""
    given = table.given(*_PRICES)
    reserved, apart = table.get("tokens_per_minute"), table.given(*_APART)
    tokens, path = _tokens(table), table.path
    if len(given) != 1:
        what = "usd_per_hour, usd_per_month, usd_per_unit_hour or usd_per_unit_month"
        reader.wrong(path, f"needs one price: {what}" if not given else f"has more than one price: keep one of {what}")
    elif ("units" in table.values) != next(iter(given)).startswith("usd_per_unit"):
        reader.wrong(path, "needs units together with usd_per_unit_hour or usd_per_unit_month")
    elif (reserved is None) == (len(apart) < len(_APART)) or (reserved is not None and apart):
        reader.wrong(path, f"needs what is reserved: tokens_per_minute, or {' and '.join(_APART)}")
    elif apart and "output_weight" in table.values:
        reader.wrong((*path, "output_weight"), "is for tokens_per_minute: here output has a limit of its own")
    elif "requests_per_hour" in table.values and not tokens:
        reader.wrong((*path, "requests_per_hour"), "needs input_tokens and output_tokens, those of one request")
    else:
        usd, formula = _hourly(table, *next(iter(given.items())))
        if usd > checks.MOST:
            reader.wrong((*path, next(iter(given))), f"makes more than {checks.MOST:f} USD an hour")
            return None
        terms = Provisioned(
            usd,
            formula,
            reserved,
            weights=_weights(table),
            tokens=tokens,
            **apart,
            **table.given("requests_per_hour"),
        )
        return terms, reader.where((*path, next(iter(given))))
    return None


def _hourly(table: Table, key: str, usd: Decimal) -> tuple[Decimal, str]:
    """Return USD per hour and how it is come by."""
    units = table.get("units", Decimal(1))
    whole = usd * units
    factor = "" if "units" not in table.values else f"{units:f} units x "
    if key.endswith("month"):
        return whole / HOURS_PER_MONTH, f"{factor}{usd:f} USD a month / {HOURS_PER_MONTH} h"
    return whole, f"{factor}{usd:f} USD/h"


def _weights(table: Table) -> Weights:
    given = {name: table.get(f"{name}_weight") for name in ("output", "cache_read", "cache_write")}
    return Weights(**{name: value for name, value in given.items() if value is not None})


def _tokens(table: Table) -> Tokens:
    given = {name: table.get(f"{name}_tokens") for name in TOKEN_CLASSES}
    return tuple((name, amount) for name, amount in given.items() if amount)


def serverless(reader: Reader, table: Table) -> tuple[Serverless, str] | None:
    """Return the terms of serverless GPU seconds and where their price stands; None where they are wrong."""
    path, per_second = table.path, table.get("usd_per_second")
    if "gpu" in table.values and "dedicated_usd_per_hour" in table.values:
        reader.wrong((*path, "gpu"), "and dedicated_usd_per_hour both say what a dedicated one costs: keep one")
        return None
    if "gpus" in table.values and "gpu" not in table.values:
        reader.wrong((*path, "gpus"), "needs gpu, the name of the GPU to compare with")
        return None
    dedicated = None
    if "gpu" in table.values or "dedicated_usd_per_hour" in table.values:
        dedicated = Hardware(table.get("gpu", ""), table.get("dedicated_usd_per_hour"), table.get("gpus", 1))
    terms = Serverless(
        per_second,
        table.get("idle_usd_per_second", per_second),
        dedicated=dedicated,
        tokens=_tokens(table),
        **table.given(
            "seconds_per_request",
            "requests_per_hour",
            "cold_start_seconds",
            "cold_starts_per_hour",
            "cold_start_billed",
            "idle_seconds",
            "idle_billed",
            "round_up_to_seconds",
            "workers",
        ),
    )
    return terms, reader.where((*path, "usd_per_second"))


def batch(reader: Reader, table: Table) -> tuple[Batch, str] | None:
    """Return the terms of a batch and where it stands; None where they are wrong."""
    path, tokens, gpu = table.path, _tokens(table), table.get("gpu")
    if gpu is None and table.given("gpus", "hours"):
        reader.wrong(path, "needs gpu, the name of the GPU that the batch runs on")
    elif gpu is not None and "hours" not in table.values:
        reader.wrong(path, "needs hours: how long the GPUs work for one run")
    elif gpu is None and not tokens:
        reader.wrong(path, "needs input_tokens and output_tokens, those of one request")
    elif gpu is None and any(ch in table.get("model") for ch in "*?["):
        reader.wrong((*path, "model"), "must be one model: a glob has no price")
    else:
        hardware = None if gpu is None else Hardware(gpu, count=table.get("gpus", 1))
        terms = Batch(table.get("requests"), tokens, table.get("every", ONCE), hardware, table.get("hours"))
        return terms, reader.where((*path, "gpu") if gpu is not None else path)
    return None
