"""Each mistake in pricing.toml is a sentence with its line."""

from __future__ import annotations

import pytest

from tests.money.loading import BUDGET, mistakes


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
