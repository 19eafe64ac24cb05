"""A fault: where it is, which figures bear it out, and how it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infertop.money.detect.incidents import Incident, incident_content, incident_of
from infertop.money.detect.scopes import Scope


class Figure(NamedTuple):
    """What is watched: a metric of a scope."""

    scope: Scope
    metric: str


@dataclass(slots=True)
class Fault:
    """One fault. `lead` is the figure that tells how large it is, `scope` where it is, `members` since when each is.

    `state` is "", "acknowledged" or "planned"; `until` is None while it lasts. `opened` is the minute in which it was
    found. `wider` says that `scope` has more in it than what its lead is of, `apart` that its figures are what its
    scope costs and cost in the hour before. `paid` is what is known of the mean cost of its requests, where that is
    beyond too.
    """

    key: str
    lead: Figure
    scope: Scope
    since: float
    members: dict[Figure, float] = field(default_factory=dict)
    state: str = ""
    until: float | None = None
    last: Incident | None = None
    opened: float = 0.0
    wider: bool = False
    apart: bool = False
    paid: Incident | None = None


class Step(NamedTuple):
    """A fault that was opened, went on, moved or closed in a minute."""

    fault: Fault
    opened: bool = False
    moved: bool = False


def fault_content(fault: Fault) -> dict[str, Any]:
    """Return a fault for JSON."""
    return {
        **{
            name: getattr(fault, name)
            for name in ("key", "scope", "since", "state", "until", "opened", "wider", "apart")
        },
        "lead": fault.lead,
        "members": [[*figure, since] for figure, since in fault.members.items()],
        "last": incident_content(fault.last),
        "paid": incident_content(fault.paid),
    }


def fault_of(content: Mapping[str, Any]) -> Fault:
    """Return the fault that was stored; raise KeyError, TypeError or ValueError where it is none."""
    lead_scope, metric = content["lead"]
    members = {Figure(_scope(scope), str(name)): float(since) for scope, name, since in content["members"]}
    last = content["last"]
    return Fault(
        key=str(content["key"]),
        lead=Figure(_scope(lead_scope), str(metric)),
        scope=_scope(content["scope"]),
        since=float(content["since"]),
        members=members,
        state=str(content["state"]),
        until=None if content["until"] is None else float(content["until"]),
        last=incident_of(last),
        opened=float(content.get("opened", content["since"])),
        wider=bool(content.get("wider")),
        apart=bool(content.get("apart")),
        paid=incident_of(content.get("paid")),
    )


def _scope(pairs: Iterable[Sequence[str]]) -> Scope:
    return tuple((str(name), str(value)) for name, value in pairs)
