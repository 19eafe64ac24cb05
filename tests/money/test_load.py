from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "payloads" / "pricing" / "sample.toml"
KINDS = {"vllm": {"metrics_path"}, "openai": set[str](), "nvml": set[str]()}
BUDGET = '[[budget]]\nname = "b"\nlimit_usd = 1\nperiod = "day"\n'


def mistakes(text: str, kinds: dict[str, set[str]] | None = KINDS) -> list[str]:
    """What is wrong with a text, without the file's name."""
    try:
        parse(text.encode(), "pricing.toml", kinds)
    except Mistakes as found:
        return [
            each.split("pricing.toml:", 1)[1] if each.startswith("pricing.toml:") else "?" for each in found.sentences
        ]
    return []


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


def test_an_empty_file_and_a_byte_order_mark_are_fine() -> None:
    assert parse(b"") == Settings()
    assert parse(b'\xef\xbb\xbftimezone = "UTC"\r\n') == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BUDGET.replace("= 1", "= 0"), "3: budget[0].limit_usd must be a number above 0"),
        (BUDGET.replace("= 1", "= -5"), "3: budget[0].limit_usd must be a number above 0"),
        (BUDGET.replace("= 1", "= nan"), "3: budget[0].limit_usd must be a number above 0"),
        (BUDGET.replace("= 1", "= inf"), "3: budget[0].limit_usd must be a number above 0"),
        (BUDGET.replace("= 1", "= true"), "3: budget[0].limit_usd must be a number above 0"),
        (BUDGET.replace("= 1", '= "500"'), "3: budget[0].limit_usd must be a number above 0, without quotes"),
        (BUDGET.replace("= 1", "= [1]"), "3: budget[0].limit_usd must be a number above 0"),
        (BUDGET.replace("= 1", "= 1e308"), "3: budget[0].limit_usd must be a number of at most 1000000000000"),
        (BUDGET.replace("= 1", "= 1e-300"), "3: budget[0].limit_usd must be a number of at least 0.000000001"),
        (BUDGET.replace("limit_usd", "limit_us"), '3: unknown key "limit_us" in budget[0]; did you mean "limit_usd"?'),
        (BUDGET.replace("limit_usd = 1", ""), "1: budget[0] needs limit_usd"),
        (
            BUDGET.replace('"day"', '"dayly"'),
            '4: budget[0].period must be one of hour, day, week, month; did you mean "day"?',
        ),
        (BUDGET.replace('"b"', '""'), "2: budget[0].name must be a text in quotes"),
        (BUDGET + "alert_at = []", "5: budget[0].alert_at must be a list in brackets of 1 to 20 values"),
        (BUDGET + BUDGET, '5: budget[1] has the name "b" of budget[0] (pricing.toml:1)'),
        ("[budget]\nname = 1", "1: budget must be an array of tables: write [[budget]] instead of [budget]"),
        ("budgets = 1", '1: unknown key "budgets"; did you mean "budget"?'),
        ("[gpu]\nusd_per_hour = 1", '2: gpu.usd_per_hour must stand under a name: [gpu."NAME"]'),
        ("gpu = 3", '1: gpu must be tables with a name: [gpu."NAME"]'),
        ("[gpu.H100]", "1: gpu.H100 needs usd_per_hour (rented), or purchase_usd and lifetime_years (owned)"),
        (
            "[gpu.H100]\npurchase_usd = 1",
            "1: gpu.H100 needs usd_per_hour (rented), or purchase_usd and lifetime_years (owned)",
        ),
        (
            "[gpu.H100]\nusd_per_hour = 1\npurchase_usd = 1",
            "1: gpu.H100 is rented (usd_per_hour) and owned (purchase_usd) at once: keep one",
        ),
        (
            '[gpu."NVIDIA L4"]\npurchase_usd = 1\nlifetime_years = 0',
            '3: gpu."NVIDIA L4".lifetime_years must be a number of at least 0.01 and at most 100',
        ),
        (
            "[gpu.L4]\npurchase_usd = 1\nlifetime_years = 1\nresidual_usd = 2",
            "4: gpu.L4.residual_usd must not be above purchase_usd",
        ),
        (
            "[gpu.H100]\nusd_per_hour = 1\n[gpu.h100]\nusd_per_hour = 2",
            "3: gpu.h100 is the same GPU as gpu.H100: keep one",
        ),
        ("host = 1", "1: host must be a table"),
        ("[host]\nusd_per_hour = -0.1", "2: host.usd_per_hour must be a number of at least 0"),
        ("[energy]\npue = 1.2", "1: energy needs usd_per_kwh"),
        ("[energy]\nusd_per_kwh = 1\npue = 0.9", "3: energy.pue must be a number of at least 1 and at most 10"),
        ("[model.m]", "1: model.m has no price: set input and output, in USD per million tokens"),
        (
            'timezone = "UTC"\n[model.""]\ninput = 1',
            '2: model."" must have a name that is not empty: [model."NAME"]',
        ),
        ('[[gpu." "]]\nusd_per_hour = 1', '1: gpu." " must have a name that is not empty: [gpu."NAME"]'),
        ('[provider.""]\nfactor = 1', '1: provider."" must have a name that is not empty: [provider."NAME"]'),
        ("[model.m]\ninput = -1", "2: model.m.input must be a number of at least 0"),
        ("[model.m]\ninputs = 1", '2: unknown key "inputs" in model.m; did you mean "input"?'),
        (
            "[model.gpt-4.1]\ninput = 1",
            '1: unknown key "1" in model.gpt-4; a name with a dot needs quotes: [model."gpt-4.1"]',
        ),
        ("[model.m]\ninput = 1\nfrom = 0001-01-01", "3: model.m.from must be a date from 1970 to 9998"),
        ("[model.m]\ninput = 1\nfrom = 9999-12-31", "3: model.m.from must be a date from 1970 to 9998"),
        (
            '[model.m]\ninput = 1\nfrom = "2026-11-01"',
            "3: model.m.from must be a date without quotes and without a time, like 2026-11-01",
        ),
        (
            "[model.m]\ninput = 1\nfrom = 2026-11-01T00:00:00Z",
            "3: model.m.from must be a date without quotes and without a time, like 2026-11-01",
        ),
        ("[model.m]\ninput = 1\nbatch = -1", "3: model.m.batch must be a number above 0 and at most 10"),
        (
            "[model.m]\ninput = 1\n[model.m.batch]\ninputt = 1",
            '4: unknown key "inputt" in model.m.batch; did you mean "input"?',
        ),
        ('[[assign]]\nkey = "x"', "1: assign[0] sets nothing: give one of team, feature, customer, environment"),
        ('[[assign]]\nteam = "x"\nkeys = "y"', '3: unknown key "keys" in assign[0]; did you mean "key"?'),
        ("[alert]\nsigma = 0", "2: alert.sigma must be a number above 0 and at most 100"),
        (
            'timezone = "Europe/Berln"',
            '1: timezone must be the name of a time zone, like "Europe/Berlin"; did you mean "Europe/Berlin"?',
        ),
        (
            'timezone = "new york"',
            '1: timezone must be the name of a time zone, like "Europe/Berlin"; did you mean "America/New_York"?',
        ),
        ("timezone = 1", '1: timezone must be the name of a time zone in quotes, like "Europe/Berlin"'),
    ],
)
def test_a_mistake_is_a_sentence_with_its_line(text: str, sentence: str) -> None:
    assert mistakes(text) == [sentence]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/localtime", "", ".", "America", "x" * 5000, "a\\u0000b"])
def test_a_time_zone_that_is_a_path_is_a_mistake(name: str) -> None:
    (sentence,) = mistakes(f'timezone = "{name}"')
    assert sentence.startswith("1: timezone must be the name of a time zone")


def test_a_share_of_a_budget_is_not_a_percentage() -> None:
    (sentence,) = mistakes(BUDGET + "alert_at = [\n0.5,\n80]")
    assert sentence == "7: budget[0].alert_at[1] must be a number above 0 and at most 10: 0.5 is 50 % of the limit"


@pytest.mark.parametrize(
    ("tariffs", "sentence"),
    [
        ('from = "22"\nto = "06:00"\nusd_per_kwh = 1', '4: energy.tariff[0].from must be a time of day like "22:00"'),
        (
            'from = "24:30"\nto = "06:00"\nusd_per_kwh = 1',
            '4: energy.tariff[0].from must be a time of day like "22:00"',
        ),
        ('from = "06:00"\nto = "06:00"\nusd_per_kwh = 1', "3: energy.tariff[0] has no hours: from and to are the same"),
        ('from = "06:00"\nusd_per_kwh = 1', "3: energy.tariff[0] needs to"),
        (
            'from = "22:00"\nto = "06:00"\nusd_per_kwh = 1\n'
            '[[energy.tariff]]\nfrom = "05:00"\nto = "07:00"\nusd_per_kwh = 1',
            "7: energy.tariff[1] overlaps energy.tariff[0]",
        ),
    ],
)
def test_tariffs_have_hours_that_do_not_overlap(tariffs: str, sentence: str) -> None:
    assert mistakes(f"[energy]\nusd_per_kwh = 1\n[[energy.tariff]]\n{tariffs}") == [sentence]


def test_tariffs_may_touch_and_end_at_midnight() -> None:
    night = '{from="22:00", to="24:00", usd_per_kwh=1}'
    morning = '{from="00:00", to="06:00", usd_per_kwh=1}'
    text = f"[energy]\nusd_per_kwh = 1\ntariff = [{night}, {morning}]"
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('url = "http://h"', "1: source[0] needs kind"),
        ('kind = "vlm"', '2: source[0].kind must be one of nvml, openai, vllm; did you mean "vllm"?'),
        (
            'kind = "vllm"\nmetric_path = "/m"',
            '3: unknown key "metric_path" in source[0]; did you mean "metrics_path"?',
        ),
        ('kind = "openai"\nmetrics_path = "/m"', '3: unknown key "metrics_path" in source[0]'),
        ('kind = "vllm"\nurl = "h:8000"', '3: source[0].url must be a URL like "http://10.0.0.5:8000"'),
        ('kind = "vllm"\nurl = "file:///etc/passwd"', '3: source[0].url must be a URL like "http://10.0.0.5:8000"'),
        ('kind = "vllm"\nurl = "http://h:99999"', '3: source[0].url must be a URL like "http://10.0.0.5:8000"'),
        (
            'kind = "vllm"\nurl = "http://u:p@h"',
            "3: source[0].url must not hold a user or a password: use key_env or key_file",
        ),
        (
            'kind = "vllm"\nurl = "http://h/?api_key=1"',
            "3: source[0].url must be the base alone, without ? and #; keys belong in key_env or key_file",
        ),
        ('kind = "vllm"\ninterval = 0', "3: source[0].interval must be a number of at least 0.1 and at most 86400"),
        ('kind = "vllm"\ncounts = "yes"', "3: source[0].counts must be true or false"),
        ('kind = "vllm"\ngpus = "GPU-1"', "3: source[0].gpus must be a list in brackets of 1 to 1024 values"),
        ('kind = "vllm"\ngpus = [1]', "3: source[0].gpus[0] must be a text in quotes"),
        ('kind = "openai"\nkey_env = "A"\nkey_file = "b"', "1: source[0] has key_env and key_file: keep one"),
        (
            'kind = "vllm"\nurl = "http://10.0.0.5"\nkey_env = "A"',
            "3: source[0].url must be https, or http on this machine, because a key is sent to it",
        ),
        (
            'kind = "openai"\nkey_env = "my key"',
            "3: source[0].key_env must be the name of an environment variable, never the key itself",
        ),
        (
            'kind = "openai"\napi_key = "x"',
            '3: unknown key "api_key" in source[0]; never the key itself: use key_env or key_file',
        ),
    ],
)
def test_a_source_is_checked(source: str, sentence: str) -> None:
    assert mistakes(f"[[source]]\n{source}") == [sentence]


def test_two_sources_are_told_apart() -> None:
    one = '[[source]]\nkind = "vllm"\nurl = "http://localhost:8000"\n'
    assert mistakes(one + one.replace("localhost", "127.0.0.1")) == [
        '4: source[1] has the name "vllm@127.0.0.1:8000" of source[0] (pricing.toml:1)'
    ]
    assert mistakes(one + one + 'name = "other"') == []
    assert mistakes(one + 'name = "x"\n' + one + 'name = "x"') == [
        '5: source[1] has the name "x" of source[0] (pricing.toml:1)'
    ]


def test_without_kinds_any_kind_and_option_is_taken_and_numbers_become_float() -> None:
    text = b'[[source]]\nkind = "new"\nratio = 0.5\nlist = [1.5, "a"]\n'
    (source,) = parse(text).sources
    assert source.options == {"ratio": 0.5, "list": (1.5, "a")}
    assert isinstance(source.options["ratio"], float)


@pytest.mark.parametrize(
    "row",
    [
        'key = "{}"',
        'key_env = "{}"',
        'key_file = "{}"',
        'name = "Bearer {}"',
        'x = ["{}"]',
        '"{}" = 1',
    ],
)
def test_a_key_in_the_file_is_a_mistake_that_does_not_repeat_it(row: str) -> None:
    key = "sk-proj-Ab12Cd34Ef56Gh78Ij90"
    found = mistakes('[[source]]\nkind = "openai"\n' + row.format(key))
    assert found
    assert not any(key in each for each in found)
    assert found[0].startswith("3: ")
    if not row.endswith("= 1"):
        assert "never the key itself" in found[0]


def test_the_name_and_the_id_of_a_key_are_no_secrets() -> None:
    for name in ("prod-support-*", "apikey_01Rj2N8SVvo6BePZj99NhmiT", "key_5qA8wT2bXk9L", "sk-prod-*"):
        assert mistakes(f'[[assign]]\nkey = "{name}"\nteam = "a"') == []


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = 'timezone = "x"\n[gpu.H100]\nusd_per_hour = 2.49x\n[host]\nusd_per_hour = -1\n' + BUDGET.replace("1", "junk")
    assert [each.split(":")[0] for each in mistakes(text)] == ["1", "3", "5", "8"]
    assert mistakes(text)[1] == "3: column 20: Expected newline or end of document after a statement"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a = \n", "1: column 5: Invalid value"),
        ("\n[gpu\n", "2: column 5: Expected ']' at the end of a table declaration"),
        ('timezone = "UTC"\ntimezone = "UTC"\n', "2: column 17: Cannot overwrite a value"),
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


SNIPPETS = [
    *SAMPLE.read_text(encoding="utf-8").splitlines(),
    "[[source]]",
    "[gpu.x]",
    "[[gpu.x]]",
    "[provider.x]",
    "[[provider.x]]",
    "factor = 0.9",
    "[[model.m]]",
    "[[model.m.tiers]]",
    "above = 200000",
    "flex = { input = 1 }",
    "web_searches = 0.01",
    "from = 2026-11-01",
    "x = [",
    "]",
    '"""',
    "{",
    "a.b = 1",
]


@given(st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=30), max_size=30), st.booleans())
@settings(max_examples=400, deadline=None)
def test_no_text_breaks_the_validator(rows: list[str], strict: bool) -> None:
    content = "\n".join(rows).encode("utf-8", "surrogatepass")
    try:
        parse(content, "pricing.toml", KINDS if strict else None)
    except Mistakes as found:
        last = "\n".join(rows).count("\n") + 1
        for sentence in found.sentences:
            name, line, _ = sentence.split(":", 2)
            assert name == "pricing.toml"
            assert 1 <= int(line) <= last
            assert sentence.isprintable()


VALUES = st.sampled_from(
    ["1", "-1", "nan", "true", '"x"', "[]", "{}", "1e308", "2026-11-22", "22:00:00", "[[1]]", '{ a = "b" }']
)
PLACES = st.sampled_from(
    [
        "timezone",
        "gpu",
        "host",
        "energy",
        "model",
        "budget",
        "assign",
        "alert",
        "source",
        "gpu.x",
        "gpu.x.usd_per_hour",
        "model.m",
        "model.m.input",
        "model.m.batch",
        "model.m.flex.input",
        "model.m.tiers",
        "model.m.from",
        "model.m.web_searches",
        "provider",
        "provider.x",
        "provider.x.factor",
        "gpu.x.from",
        "energy.from",
        "host.from",
        "energy.usd_per_kwh",
        "energy.tariff",
        "host.usd_per_hour",
        "alert.sigma",
        "alert.webhook",
        "alert.format",
        "alert.command",
        "alert.per_hour",
        "alert.osc",
    ]
)


@given(st.dictionaries(PLACES, VALUES, max_size=5))
@settings(max_examples=400, deadline=None)
def test_any_value_anywhere_is_taken_or_told_at_its_line(values: dict[str, str]) -> None:
    rows = [f"{place} = {value}" for place, value in values.items()]
    for sentence in mistakes("\n".join(rows)):
        line, _, text = sentence.partition(": ")
        section = rows[int(line) - 1].split(".")[0].split(" ")[0]
        assert section in text or text.startswith(("column", "at the end"))


@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from(["\n", "\r\n"]))
def test_the_line_of_a_mistake_is_the_line_in_the_editor(before: int, between: int, newline: str) -> None:
    rows = ["# [x]"] * before + ["[[budget]]", 'name = "b"', 'period = "day"'] + [""] * between + ["limit_usd = 0"]
    assert mistakes(newline.join(rows)) == [f"{len(rows)}: budget[0].limit_usd must be a number above 0"]
