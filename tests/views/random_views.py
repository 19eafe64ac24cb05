"""Views with anything in them: unknown, infinite and negative figures, names that want to do harm."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from infertop.views.shapes import (
    BudgetRow,
    BurnRow,
    DeploymentRow,
    Event,
    GpuRow,
    Headline,
    ModelRow,
    Overview,
    ProcessRow,
    Quantiles,
    SourceRow,
    Stacked,
)

HOSTILE = (
    "[red]x[/]",
    "[/]",
    "\x1b]0;pwned\x07",
    "\x1b[2J",
    "=1+1",
    "a\tb\nc\r",
    "\u202egnp.exe",
    "\u200b",
    "",
    "名前" * 40,
)
odd = st.sampled_from([None, math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, 1e-300, 1e300, 1.0000001])
figures = st.one_of(odd, st.floats(0, 1e12), st.floats())
# No name is what a figure must not be.
names = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=30).filter(lambda text: "nan" not in text and "inf" not in text)
)
moments = st.floats(0, 4e9)
some_moments = st.one_of(st.none(), moments, st.sampled_from([math.nan, math.inf, 1e18, -1e18]))
triples = st.tuples(figures, figures, figures)
classes = st.dictionaries(st.sampled_from(["input", "cache_read", "output", "blended", "reasoning"]), figures)
quantiles = st.builds(Quantiles, triples, triples, triples, figures, st.sampled_from([0.0, 1.0, math.nan, 1e300]))
states = st.sampled_from(["starting", "up", "stale", "down", "auth", "absent"])
sparks = st.lists(figures, max_size=3).map(tuple)

_MORE: dict[str, Any] = {
    "state": states,
    "basis": st.sampled_from(["measured", "computed", "estimated", "billed"]),
    "usd_per_million": classes,
    "tokens_per_second": classes,
    "totals": st.dictionaries(st.sampled_from(["requests", "input", "output", "usd"]), figures),
    "answers_by_reason": st.dictionaries(names, figures, max_size=3),
    "failed_by_reason": st.dictionaries(names, figures, max_size=3),
    "marked": st.booleans(),
    "price_default": st.booleans(),
    "window_seconds": st.floats(0, 1e6),
    "interval_seconds": st.floats(0.1, 1e6),
    "trend": sparks,
}

processes = st.builds(ProcessRow, st.integers(0, 2**31), names, names, figures, figures)


def rows(shape: type, **given: Any) -> st.SearchStrategy[Any]:
    """Rows of a shape, every field by its type."""
    by_type = {
        "str": names,
        "str | None": st.none() | names,
        "float | None": figures,
        "Quantiles": quantiles,
        "tuple[str, ...]": st.lists(names, max_size=2).map(tuple),
        "tuple[str, ...] | None": st.none() | st.lists(names, max_size=2).map(tuple),
        "tuple[int, int] | None": st.none() | st.tuples(st.integers(0, 8), st.integers(0, 8)),
        "tuple[ProcessRow, ...]": st.lists(processes, max_size=3).map(tuple),
        "tuple[float | None, float | None, float | None]": triples,
        "int": st.integers(0, 10),
        "bool": st.booleans(),
        "Spark": sparks,
    }
    special = _MORE | given
    fields = shape.__dataclass_fields__.items()
    return st.builds(shape, **{name: special[name] if name in special else by_type[each.type] for name, each in fields})


limits = st.floats(1e-9, 1e12)
budgets = rows(
    BudgetRow,
    period=st.sampled_from(["hour", "day", "week", "month"]),
    limit_usd=limits,
    exhausted_at=some_moments,
    resets_at=moments,
    crossings=st.lists(st.tuples(names, some_moments.filter(lambda each: each is not None)), max_size=2).map(tuple),
    burns=st.lists(st.builds(BurnRow, figures, figures, figures, figures), max_size=2).map(tuple),
)
deployments = rows(
    DeploymentRow,
    kind=st.sampled_from(["provisioned", "serverless", "batch"]),
    traffic=st.sampled_from(["measured", "declared", "unknown"]),
)
events = st.builds(
    Event,
    ts=moments,
    level=st.sampled_from(["info", "warn", "alarm"]),
    kind=st.sampled_from(["mark", "budget", "restart", "incident"]),
    text=names,
    scope=st.dictionaries(names, names, max_size=2),
    metric=names,
    value=figures,
    expected=figures,
    until=st.one_of(st.none(), moments),
    cause=names,
    state=st.sampled_from(["", "open", "acknowledged", "planned", "closed"]) | names,
    excess_usd=figures,
    excess_usd_per_hour=figures,
)


def listed(each: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(each, max_size=2).map(tuple)


views = st.builds(
    Overview,
    at=moments,
    timezone=names,
    host=names,
    mode=st.sampled_from(["live", "viewer", "demo"]),
    window_seconds=figures,
    interval_seconds=st.floats(0.1, 60),
    headline=rows(Headline, tokens_per_second=figures),
    models=listed(rows(ModelRow)),
    gpus=listed(rows(GpuRow, index=st.sampled_from(["0", "7", "2:1", "", "x\x1b[m", "٣"]))),
    budgets=listed(budgets),
    sources=listed(rows(SourceRow)),
    events=listed(events),
    cost_history=st.just(Stacked()),
    deployments=listed(deployments),
    notices=st.lists(names, max_size=2).map(tuple),
)
