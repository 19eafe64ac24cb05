"""What keys and models cost before and since, some of it so many times what it was."""

from __future__ import annotations

from infertop.money.detect.grouping import Moved
from infertop.money.detect.scopes import Place, Scope

KEYS, MODELS = ("prod", "dev", "batch"), ("gpt-4o", "o3")
PROD: Scope = (("key", "prod"),)
OPENAI: Scope = (("provider", "openai"),)
O3: Scope = (("model", "o3"),)


def moved(**times: float) -> list[Moved]:
    """Everybody's dollars, of a key or a model so many times what they were ("o3_prod": of one at the other)."""
    found = []
    for n, (model, key) in enumerate((model, key) for model in MODELS for key in KEYS):
        before = 2.0 + n
        names = (key, model.replace("-", "_"), f"{model}_{key}")
        factor = max((times[name] for name in names if name in times), default=1.0)
        found.append(Moved(Place("openai", "openai", model, key), before, before * factor))
    return found


def of(*usd: tuple[str, str, float, float]) -> list[Moved]:
    """Dollars of a model and a key at openai, before and since."""
    return [Moved(Place("openai", "openai", model, key, "web"), *each) for model, key, *each in usd]
