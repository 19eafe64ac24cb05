"""[[deployment]] in pricing.toml: what is read, and the sentence for each mistake."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from infertop.money.deployments.declared import Batch, Hardware, Provisioned, Serverless, Weights
from infertop.money.load import parse
from infertop.money.schema import Mistakes
from infertop.money.settings import Settings

D = Decimal
PTU = """[[deployment]]
name = "ptu"
kind = "provisioned"
provider = "azure"
model = "gpt-4.1"
"""
FLEX = """[[deployment]]
name = "flex"
kind = "serverless"
provider = "runpod"
model = "llama-3-70b"
"""
JOB = """[[deployment]]
name = "job"
kind = "batch"
provider = "openai"
model = "gpt-4o"
"""
FULL = "usd_per_hour = 1\ntokens_per_minute = 1\n"


def read(text: str) -> Settings:
    return parse(text.encode(), "pricing.toml")


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(Mistakes) as found:
        read(text)
    return found.value.sentences


def test_a_file_without_deployments_has_none() -> None:
    assert read("").deployments == ()


@pytest.mark.parametrize(
    ("price", "usd", "formula", "line"),
    [
        ("usd_per_hour = 60", "60", "60 USD/h", 6),
        ("units = 100\nusd_per_unit_hour = 1", "100", "100 units x 1 USD/h", 7),
        ("usd_per_month = 73000", "100", "73000 USD a month / 730 h", 6),
        ("usd_per_unit_month = 312\nunits = 300", "128.2191780822", "300 units x 312 USD a month / 730 h", 6),
        ("usd_per_hour = 0", "0", "0 USD/h", 6),
    ],
)
def test_provisioned_throughput_costs_by_the_hour_however_it_is_stated(
    price: str, usd: str, formula: str, line: int
) -> None:
    (each,) = read(f"{PTU}{price}\ntokens_per_minute = 30000\n").deployments
    assert isinstance(each.terms, Provisioned)
    assert round(each.terms.usd_per_hour, 10) == D(usd)
    assert (each.terms.formula, each.where) == (formula, f"pricing.toml:{line}")
    assert (each.kind, each.counts, each.provider, each.model) == ("provisioned", True, "azure", "gpt-4.1")


def test_everything_that_reserved_throughput_may_say() -> None:
    text = f"""{PTU}counts = false
source = "litellm*"
project = "prod"
from = 2026-11-01
until = 2026-12-01
usd_per_hour = 60
tokens_per_minute = 30000
output_weight = 4
cache_read_weight = 0
cache_write_weight = 1.25
requests_per_hour = 600
input_tokens = 1500
output_tokens = 400
reasoning_tokens = 0
"""
    (each,) = read(text).deployments
    assert each.conditions == (("source", "litellm*"), ("project", "prod"))
    assert (each.counts, each.since, each.until) == (False, date(2026, 11, 1), date(2026, 12, 1))
    assert each.terms == Provisioned(
        D(60),
        "60 USD/h",
        D(30000),
        weights=Weights(D(4), D(0), D("1.25")),
        requests_per_hour=D(600),
        tokens=(("input", D(1500)), ("output", D(400))),
    )


def test_input_and_output_may_be_reserved_apart() -> None:
    (each,) = read(f"{PTU}usd_per_hour = 60\ninput_tokens_per_minute = 10\noutput_tokens_per_minute = 5").deployments
    assert isinstance(each.terms, Provisioned)
    assert each.terms.tokens_per_minute is None
    assert (each.terms.input_tokens_per_minute, each.terms.output_tokens_per_minute) == (10, 5)


def test_serverless_seconds_with_and_without_everything() -> None:
    (each,) = read(f"{FLEX}usd_per_second = 0.00116").deployments
    assert each.terms == Serverless(D("0.00116"), D("0.00116"))
    assert (each.counts, each.where) == (False, "pricing.toml:6")
    (each,) = read(f"""{FLEX}usd_per_second = 0.00116
idle_usd_per_second = 0.0002
seconds_per_request = 2.3
requests_per_hour = 100
cold_start_seconds = 8
cold_starts_per_hour = 4
cold_start_billed = false
idle_seconds = 5
idle_billed = false
round_up_to_seconds = 1
workers = 2
gpu = "H100"
gpus = 4
output_tokens = 300""").deployments
    assert each.terms == Serverless(
        D("0.00116"), D("0.0002"), D("2.3"), D(100), D(8), D(4), False, D(5), False, D(1), 2,
        Hardware("H100", None, 4), (("output", D(300)),),
    )  # fmt: skip


def test_batches_by_the_token_and_on_own_gpus() -> None:
    (each,) = read(f"{JOB}requests = 10\ninput_tokens = 5").deployments
    assert each.terms == Batch(D(10), (("input", D(5)),), "once")
    own = JOB.replace('provider = "openai"\n', "")
    (each,) = read(f'{own}requests = 10\ngpu = "H100"\ngpus = 2\nhours = 1.5\nevery = "day"').deployments
    assert each.terms == Batch(D(10), (), "day", Hardware("H100", count=2), D("1.5"))
    assert each.provider == "local"


def test_one_name_may_begin_again_on_another_day() -> None:
    text = f"{PTU}{FULL}{PTU}from = 2026-12-01\n{FULL}"
    assert [each.since for each in read(text).deployments] == [None, date(2026, 12, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[deployment]]\nname = "x"\nmodel = "m"', "1: deployment[0] needs kind"),
        (
            PTU.replace("provisioned", "provisoned") + FULL,
            "3: deployment[0].kind must be one of provisioned, serverless, batch; did you mean \"provisioned\"?",
        ),
        (PTU + "tokens_per_minute = 1", "1: deployment[0] needs one price: usd_per_hour, usd_per_month, "
         "usd_per_unit_hour or usd_per_unit_month"),
        (PTU + FULL + "usd_per_month = 3", "1: deployment[0] has more than one price: keep one of usd_per_hour, "
         "usd_per_month, usd_per_unit_hour or usd_per_unit_month"),
        (PTU + FULL + "units = 3", "1: deployment[0] needs units together with usd_per_unit_hour or "
         "usd_per_unit_month"),
        (PTU + "usd_per_unit_hour = 1\ntokens_per_minute = 1", "1: deployment[0] needs units together with "
         "usd_per_unit_hour or usd_per_unit_month"),
        (PTU + "usd_per_hour = 1", "1: deployment[0] needs what is reserved: tokens_per_minute, or "
         "input_tokens_per_minute and output_tokens_per_minute"),
        (PTU + "usd_per_hour = 1\ninput_tokens_per_minute = 4", "1: deployment[0] needs what is reserved: "
         "tokens_per_minute, or input_tokens_per_minute and output_tokens_per_minute"),
        (PTU + FULL + "output_tokens_per_minute = 4", "1: deployment[0] needs what is reserved: tokens_per_minute, "
         "or input_tokens_per_minute and output_tokens_per_minute"),
        (
            PTU + "usd_per_hour = 1\ninput_tokens_per_minute = 4\noutput_tokens_per_minute = 4\noutput_weight = 4",
            "9: deployment[0].output_weight is for tokens_per_minute: here output has a limit of its own",
        ),
        (PTU + "usd_per_unit_hour = 1e9\nunits = 1e4\ntokens_per_minute = 1", "6: deployment[0].usd_per_unit_hour "
         "makes more than 1000000000000 USD an hour"),
        (PTU + FULL + "requests_per_hour = 4", "8: deployment[0].requests_per_hour needs input_tokens and "
         "output_tokens, those of one request"),
        (PTU + FULL + "usd_per_second = 4", '8: unknown key "usd_per_second" in deployment[0]: only kind = '
         '"serverless" takes it'),
        (JOB + "requests = 1\ninput_tokens = 1\nrequests_per_hour = 4", '8: unknown key "requests_per_hour" in '
         'deployment[0]: only kind = "provisioned" and "serverless" takes it'),
        (PTU + FULL + "usd_per_hours = 4", '8: unknown key "usd_per_hours" in deployment[0]; did you mean '
         '"usd_per_hour"?'),
        (PTU + "usd_per_hour = -1\ntokens_per_minute = 1", "6: deployment[0].usd_per_hour must be a number of at "
         "least 0"),
        (PTU + FULL + "from = 2026-12-01\nuntil = 2026-12-01", "9: deployment[0].until must be after from: it is the "
         "first day without the deployment"),
        (FLEX, "1: deployment[0] needs usd_per_second"),
        (FLEX + "usd_per_second = 0", "6: deployment[0].usd_per_second must be a number above 0"),
        (FLEX + "usd_per_second = 1\ncounts = true", "7: deployment[0].counts must be false: what serverless costs is "
         "shown beside what is spent, never added"),
        (FLEX + 'usd_per_second = 1\ngpu = "H100"\ndedicated_usd_per_hour = 2', "7: deployment[0].gpu and "
         "dedicated_usd_per_hour both say what a dedicated one costs: keep one"),
        (FLEX + "usd_per_second = 1\ngpus = 2", "7: deployment[0].gpus needs gpu, the name of the GPU to compare with"),
        (FLEX + "usd_per_second = 1\nworkers = 0", "7: deployment[0].workers must be a whole number from 1 to 10000"),
        (FLEX + "usd_per_second = 1\nidle_billed = 1", "7: deployment[0].idle_billed must be true or false"),
        (JOB, "1: deployment[0] needs requests"),
        (JOB + "requests = 1", "1: deployment[0] needs input_tokens and output_tokens, those of one request"),
        (JOB + "requests = 1\nhours = 3\ninput_tokens = 1", "1: deployment[0] needs gpu, the name of the GPU that the "
         "batch runs on"),
        (JOB + 'requests = 1\ngpu = "H100"', "1: deployment[0] needs hours: how long the GPUs work for one run"),
        (JOB.replace("gpt-4o", "gpt-*") + "requests = 1\ninput_tokens = 1", "5: deployment[0].model must be one model: "
         "a glob has no price"),
        (JOB + 'requests = 1\ninput_tokens = 1\nevery = "year"', "8: deployment[0].every must be one of hour, day, "
         "week, month, once"),
        (PTU.replace('provider = "azure"\n', "") + FULL, "1: deployment[0] needs provider"),
        (PTU + FULL + PTU + FULL, "8: deployment[1] has the name and the date of deployment[0] (pricing.toml:1): "
         "rename one, or set from"),
        (
            PTU + FULL + FLEX.replace("flex", "ptu") + "usd_per_second = 1\nfrom = 2026-12-01",
            "10: deployment[1].kind must be provisioned, as it is in the other entry of this name",
        ),
        (PTU.replace('"ptu"', '"host"') + FULL, "2: deployment[0].name is the name of a source: the ledger could not "
         "tell them apart"),
        (
            f'[[source]]\nkind = "vllm"\nurl = "http://10.0.0.5:8000"\nname = "ptu"\n{PTU}{FULL}',
            "6: deployment[0].name is the name of a source: the ledger could not tell them apart",
        ),
        ("deployment = 3", "1: deployment must be an array of tables: write [[deployment]]"),
        ('[deployment]\nname = "x"', "1: deployment must be an array of tables: write [[deployment]] instead of "
         "[deployment]"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_with_its_line(text: str, expected: str) -> None:
    assert mistakes(text) == (f"pricing.toml:{expected}",)


def test_more_than_anybody_has_are_not_read() -> None:
    many = "[[deployment]]\n" * 1001
    assert mistakes(many) == ("pricing.toml:1: deployment has more than 1000 entries",)
