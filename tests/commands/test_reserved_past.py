"""The hours of reserved throughput in the chart of the past, and in what budgets burn."""

from __future__ import annotations

from decimal import Decimal

from infertop.commands.past import burn
from infertop.history.summary import Minute, Totals
from infertop.money.deployments.declared import Deployment, Provisioned
from infertop.money.periods import PeriodKind
from infertop.money.settings import Assignment, Budget, Settings
from infertop.views.costs import Costs
from infertop.views.overview import TOTAL
from tests.commands.test_past import shown
from tests.money.tape import LLAMA, START


def reserved(name: str, model: str, usd: int) -> Deployment:
    terms = Provisioned(Decimal(usd), "", Decimal(1000))
    return Deployment(name, "azure", model, "pricing.toml:5", terms, counts=True)


SPENDING = Costs((), {}, None, None, None, None, 0, 0, (reserved("ptu", LLAMA, 60), reserved("many", "gpt-*", 7)))


def test_a_deployment_of_one_model_is_in_that_models_layer_and_one_of_many_is_its_own() -> None:
    hours = {("ptu", LLAMA): 10**9, ("many", None): 5 * 10**8, ("nvml", None): 10**8}
    totals = {
        key: Totals({"deployment" if key[0] != "nvml" else "gpu_idle": 60_000}, nano) for key, nano in hours.items()
    }
    found = shown(Minute(START, 60_000, totals, 16 * 10**8))
    assert found.usd_per_hour == {TOTAL: (96.0,), LLAMA: (60.0,), "many": (30.0,), "unheld": (6.0,)}


def test_a_budget_burns_what_matches_by_name_provider_model_and_rule() -> None:
    rules = Settings(assignments=(Assignment((("source", "ptu"),), (("team", "search"),), ""),))
    expected = {"provider=azure": 67, "model=gpt-*": None, "source=many": 7, "team=search": 60, f"model={LLAMA}": 60}
    for condition, usd in expected.items():
        name, _, glob = condition.partition("=")
        budget = Budget("b", Decimal(1), PeriodKind.DAY, "", conditions=((name, glob),))
        assert burn(budget, rules, SPENDING) == usd, condition
    assert burn(Budget("b", Decimal(1), PeriodKind.DAY, ""), rules, SPENDING) == 67
