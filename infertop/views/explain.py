"""How a figure was come by: formula first, then the inputs with their sources and ages."""

from __future__ import annotations

from infertop.views.explain_gpu import gpu_figures, headline
from infertop.views.explain_model import model_figures
from infertop.views.facts import Facts
from infertop.views.model_rows import model_rows
from infertop.views.shapes import Explained

NOTHING = Explained("", ())


def explain(facts: Facts, panel: str, key: str, column: str) -> Explained:
    """Explain one column of a row of a panel ("headline", "models", "gpus", ...); no lines: it explains itself.

    The key of a model is its source and its name with a tab between them, that of a GPU its UUID, of others the name.
    The columns are the fields of the row's shape.
    """
    if panel == "headline":
        return headline(facts) if column == "usd_per_hour" else NOTHING
    if panel == "models":
        source, _, model = key.partition("\t")
        row = next((each for each in model_rows(facts) if (each.source, each.model) == (source, model)), None)
        return model_figures(facts, row).get(column, NOTHING) if row else NOTHING
    if panel == "gpus":
        cost = next((each for each in facts.costs.gpus if each.at.gpu == key), None)
        return gpu_figures(facts, cost).get(column, NOTHING) if cost else NOTHING
    if panel == "budgets":
        return _budget(facts, key, column)
    return _PLAIN.get((panel, column), NOTHING)


def _budget(facts: Facts, name: str, column: str) -> Explained:
    found = next((each for each in facts.past.budgets if each.budget.name == name), None)
    if found is None:
        return NOTHING
    budget = found.budget
    match column:
        case "spent_usd":
            lines = [
                f"the ledger's lines since the {budget.period} began in {facts.timezone}, {budget.where}",
                f"levels {', '.join(f'{share:.0%}' for share in budget.alert_at)} are told once each",
            ]
            if facts.past.coverage is not None:
                lines.append(f"{facts.past.coverage:.0%} of today was recorded: what ran besides is not in it")
        case "burn_usd_per_hour":
            lines = ["what the hour costs now of what this budget is about: models all-in, and unheld GPUs"]
        case "forecast_usd":
            lines = ["spent + now/h x the time left; a first estimate, without an interval"]
        case "exhausted_at":
            lines = ["when spent reaches the limit if now/h goes on; - where that is after the period's end"]
        case _:
            return NOTHING
    return Explained(column.replace("_usd", "").replace("_", " "), tuple(lines))


_PLAIN: dict[tuple[str, str], Explained] = {
    ("sources", "state"): Explained(
        "state",
        ("up: read within five intervals; stale: not; down: it refused; auth: it wants a key; absent: not here",),
    ),
    ("sources", "rejected"): Explained(
        "odd", ("lines or fields of the last page that could not be read and were left out",)
    ),
}
