"""How a figure was come by: formula first, then the inputs with their sources and ages."""

from __future__ import annotations

from infertop.readings.safe import safe
from infertop.views.deployments import deployment_figures, deployment_rows
from infertop.views.explain_budget import budget_figures
from infertop.views.explain_event import event_figures
from infertop.views.explain_gpu import gpu_figures
from infertop.views.explain_head import head_figures
from infertop.views.explain_model import model_figures
from infertop.views.explain_rest import source_figures
from infertop.views.facts import Facts
from infertop.views.gpu_rows import gpu_rows
from infertop.views.model_rows import model_rows
from infertop.views.overview import budget_row, headline, source_rows
from infertop.views.shapes import Explained

UNHELD = "unheld"
_SUMMED = ("usd_per_hour", "tokens_per_second", "requests_per_second", "waiting", "shadow_margin_usd_per_hour")


def figures(facts: Facts, panel: str, key: str) -> dict[str, Explained]:
    """Return the explanations of a row of a panel ("headline", "models", ...), by column; none where it is not there.

    The key of a model is its source and its name with a tab between them, that of a GPU its UUID, of others the name.
    The columns are the fields of the row's shape, and those that a table makes of them.
    """
    match panel:
        case "headline":
            return head_figures(facts, headline(facts, model_rows(facts)))
        case "models":
            return _model(facts, key)
        case "gpus":
            cost = next((each for each in facts.costs.gpus if each.at.gpu == key), None)
            row = next((each for each in gpu_rows(facts) if each.uuid == key), None)
            return gpu_figures(facts, cost, row) if cost and row else {}
        case "budgets":
            found = next((each for each in facts.past.budgets if each.budget.name == key), None)
            return budget_figures(facts, found, budget_row(found, facts.past.coverage)) if found else {}
        case "sources":
            source = next((each for each in source_rows(facts) if each.name == key), None)
            return source_figures(facts, source) if source else {}
        case "events":
            return event_figures(facts, key)
        case "deployments":
            deployed = deployment_rows(facts, model_rows(facts))
            return deployment_figures(next((each for each in deployed if each.name == key), None))
    return {}


def _model(facts: Facts, key: str) -> dict[str, Explained]:
    """Return those of a model, or of the lines that the table adds: the unheld GPUs, and the sums of groups."""
    source, _, model = key.partition("\t")
    rows = model_rows(facts)
    row = next((each for each in rows if (each.source, each.model) == (source, model)), None)
    if row is not None:
        return model_figures(facts, row)
    if model == UNHELD:
        return {"usd_per_hour": head_figures(facts, headline(facts, rows))["unheld_usd_per_hour"]}
    if not source:
        said = f"the sum of the models of {safe(model, 60)} below; ~ where one is estimated or unknown"
        return dict.fromkeys(_SUMMED, Explained("sum", (said,)))
    return {}
