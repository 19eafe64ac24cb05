"""Files of prices as a whole: good ones, ones with several mistakes, and what is no TOML."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

from infertop.money.alert_section import _ALERT
from infertop.money.budget_section import _ASSIGN, _BUDGET
from infertop.money.deployment_terms import KEYS as KEYS_OF_DEPLOYMENTS
from infertop.money.deployments.declared import KINDS as KINDS_OF_DEPLOYMENTS
from infertop.money.energy_section import _ENERGY, _TARIFF
from infertop.money.load import SIZE_LIMIT, load, parse
from infertop.money.model_section import _MODEL, _TIER
from infertop.money.periods import PeriodKind
from infertop.money.provider_section import _PROVIDER
from infertop.money.rate_section import _RATE
from infertop.money.schema import Mistakes
from infertop.money.sections import _TOP
from infertop.money.settings import Settings
from infertop.money.source_section import _SOURCE
from infertop.readings.registry import TOKEN_CLASSES
from tests.money.loading import BUDGET, KINDS, ROOT, SAMPLE, mistakes


def test_a_whole_file_is_read() -> None:
    read = load(SAMPLE, KINDS)
    assert read.zone.key == "Europe/Berlin"
    assert [each.where for each in read.gpus] == ["sample.toml:4", "sample.toml:6"]
    assert read.gpus[0].usd_per_hour == Decimal("2.49")
    assert read.gpus[1].owned is not None
    assert read.gpus[1].owned.residual_usd == 300
    assert read.host is not None
    assert read.host.usd_per_hour == Decimal("0.40")
    assert read.energy is not None
    assert (read.energy.tariffs[0].start, read.energy.tariffs[0].end) == (22 * 60, 6 * 60)
    assert read.models[0].since is not None
    assert [(each.name, each.factor) for each in read.models[0].variants] == [("batch", Decimal("0.5"))]
    assert read.models[1].provider == "local"
    assert read.budgets[1].conditions == (("model", "gpt-4o*"),)
    assert read.budgets[0].period is PeriodKind.DAY
    assert read.assignments[0].results == (("team", "support"), ("environment", "prod"))
    assert read.alert.request_usd == Decimal("0.5")
    assert [each.name for each in read.sources] == ["vllm@10.0.0.5:8000", "openai"]
    assert read.sources[0].gpus == ("GPU-8f3c…",)
    assert read.sources[1].counts is True


def test_the_shipped_file_is_all_comments() -> None:
    assert load(ROOT / "pricing.toml", KINDS) == Settings()


def test_the_shipped_file_without_its_comment_signs_is_a_good_file_that_shows_every_key() -> None:
    rows = (ROOT / "pricing.toml").read_text(encoding="utf-8").splitlines()
    tour = "\n".join(row[1:] if row.startswith("#") and not row.startswith("# ") else "" for row in rows)
    read = parse(tour.encode(), kinds=KINDS | {"ssh": set[str](), "prometheus": {"match", "tenant"}})
    assert [each.name for each in read.gpus[1:3]] == ["A100-80GB", "A100-80GB"]
    assert [each.pattern for each in read.models[2:4]] == ["team-model", "team-model"]
    assert len(read.providers) == len(read.assignments) == 1
    assert len(read.budgets) == 2
    assert [each.kind for each in read.sources] == ["vllm", "ssh", "prometheus", "openai", "vllm"]
    assert {each.kind for each in read.deployments} == set(KINDS_OF_DEPLOYMENTS)
    text = "\n".join(rows)
    keys = {*_RATE, *_ENERGY, *_TARIFF, *_MODEL, *_TIER, *_PROVIDER, *_BUDGET, *_ASSIGN, *_ALERT, *_SOURCE, *_TOP}
    keys |= {name for kind in KEYS_OF_DEPLOYMENTS.values() for name in kind} - {
        f"{name}_tokens" for name in TOKEN_CLASSES
    }
    assert not [name for name in keys if not re.search(rf"\b{name}\b", text)]


def test_a_budget_is_told_of_at_half_and_at_80_percent_but_for_an_hours() -> None:
    texts = (BUDGET.replace("day", period).encode() for period in ("day", "hour"))
    day, hour = (parse(text, "x", KINDS).budgets[0].alert_at for text in texts)
    assert [str(each) for each in day] == ["0.5", "0.8", "1"]
    assert [str(each) for each in hour] == ["1"]


def test_an_empty_file_and_a_byte_order_mark_are_fine() -> None:
    assert parse(b"") == Settings()
    assert parse(b'\xef\xbb\xbftimezone = "UTC"\r\n') == Settings()


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = 'timezone = "x"\n[gpu.H100]\nusd_per_hour = 2.49x\n[host]\nusd_per_hour = -1\n' + BUDGET.replace("1", "junk")
    assert [each.split(":")[0] for each in mistakes(text)] == ["1", "3", "5", "8"]
    assert mistakes(text)[1] == "3: column 20: Expected newline or end of document after a statement"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a = \n", "1: column 5: Invalid value"),
        ("\n[gpu\n", "2: column 5: Expected ']' at the end of a table declaration"),
        ('timezone = "UTC"\ntimezone = "UTC"\n', "2: timezone is here a second time, first on line 1: keep one"),
        ('x = """\n\n', "3: at the end: Unterminated string"),
        ("x = " + "9" * 5000, "1: a number has too many digits"),
        ("\n\nx = " + "[" * 5000, "1: is nested too deeply"),
        ("\n" + "a." * 5000 + "a = 1", "2: has more than 32 dots, which no key has"),
        ("x = '\x1b[31m'", "1: column"),
    ],
)
def test_what_is_no_toml_says_where(text: str, start: str) -> None:
    found = mistakes(text)
    assert found[0].startswith(start)
    assert all(each.isprintable() for each in found)


def test_a_broken_line_does_not_make_others_wrong() -> None:
    assert mistakes("[gpu.H100]\nusd_per_hour = 2,49\n") == [
        "2: column 17: Expected newline or end of document after a statement"
    ]
    assert len(mistakes("[model.m]\ninput = $1\nbatch = 1/2\n" + BUDGET.replace('"b"', "b"))) == 3


_GPU = "[gpu.H100]\nusd_per_hour = 2\n"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (_GPU + _GPU, ["3: gpu.H100 is here a second time, first on line 1: put all of its keys under one heading"]),
        (
            _GPU + "[gpu.'H100']\nusd_per_hour = 0..1\n[host]\nusd_per_hour = -1\n",
            [
                "3: gpu.H100 is here a second time, first on line 1: put all of its keys under one heading",
                "4: column 17: Expected newline or end of document after a statement",
                "6: host.usd_per_hour must be a number of at least 0",
            ],
        ),
        (
            BUDGET + BUDGET.replace('"b"', '"c"') + "limit_usd = 5\n[host]\nusd_per_hour = -1\n",
            [
                "9: budget[1].limit_usd is here a second time, first on line 7: keep one",
                "11: host.usd_per_hour must be a number of at least 0",
            ],
        ),
        (
            "[energy]\nusd_per_kwh = 1\nusd_per_kwh = 2\n",
            ["3: energy.usd_per_kwh is here a second time, first on line 2: keep one"],
        ),
        (
            "[host]\nusd_per_hour = 1\n[[host]]\n",
            ["3: host is here a second time, first on line 1: put all of its keys under one heading"],
        ),
    ],
)
def test_what_is_there_twice_is_named_with_both_lines_and_the_rest_is_read(text: str, sentences: list[str]) -> None:
    assert mistakes(text) == sentences


def test_every_value_of_a_list_that_is_wrong_is_named() -> None:
    rule = "must be a number above 0 and at most 10: 0.5 is 50 % of the limit"
    assert mistakes(BUDGET + 'alert_at = [0.5, 80, -1, nan, "1"]\n') == [
        *(f"5: budget[0].alert_at[{place}] {rule}" for place in (1, 2, 3)),
        f"5: budget[0].alert_at[4] {rule}, without quotes",
    ]


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Mistakes, match="could not be read: no such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(Mistakes, match="directory"):
        load(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Mistakes, match="is not a file"):
        load(tmp_path / "fifo")
    (tmp_path / "latin.toml").write_bytes(b'a = 1\nb = "\xe9"\n')
    with pytest.raises(Mistakes, match=r"latin\.toml:2: is not UTF-8"):
        load(tmp_path / "latin.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * (SIZE_LIMIT + 1))
    with pytest.raises(Mistakes, match="more than 1000 kB"):
        load(tmp_path / "big.toml")
