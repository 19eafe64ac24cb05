"""How the figures of sources were come by."""

from __future__ import annotations

from infertop.readings.safe import safe
from infertop.views.explain_api import age_line
from infertop.views.facts import Facts
from infertop.views.shapes import Explained, SourceRow
from infertop.views.wording import number, read_ago, span


def _aged(facts: Facts, row: SourceRow, age: str) -> str:
    window = facts.api.windows.get(row.name)
    if window is None or window.told is None:
        return f"the last reading that could be used: {age}"
    return age_line(facts, row.name, window)


def _counted(row: SourceRow) -> tuple[str, ...]:
    rule = "where several tell of the same requests, one counts: who serves them, else a gateway, else a log;"
    set_by = "  counts = true or false in its [[source]] stands above that"
    return (safe(row.note) or ("part of totals" if row.counts else "part of no total"), rule, set_by)


def source_figures(facts: Facts, row: SourceRow) -> dict[str, Explained]:
    """Return the explanations of a source's columns."""
    age = read_ago(facts.age_of(row.name))
    name = Explained(
        "source", (f"{safe(row.name, 80)}: {safe(row.kind)} at {safe(row.address, 80) or 'this machine'}",)
    )
    states = "up: read within five intervals; stale: not; down: it refused; auth: it wants a key; absent: not here"
    took = "not polled yet" if row.poll_seconds is None else f"{number(row.poll_seconds * 1000, 2)} ms: the last poll"
    return {
        "state": Explained("state", (f"{row.state}, {age}", states)),
        "age_seconds": Explained("age", (_aged(facts, row, age),)),
        "interval_seconds": Explained(
            "every", (f"polled every {span(row.interval_seconds)}: --interval, interval_seconds or + and -",)
        ),
        "poll_seconds": Explained("poll", (took,)),
        "failures": Explained("failed", (f"{row.failures} polls in a row without an answer; each waits longer",)),
        "rejected": Explained(
            "odd", (f"{row.rejected} lines or fields of the last page could not be read and were left out",)
        ),
        **dict.fromkeys(("counts", "note"), Explained("counts", _counted(row))),
        "detail": Explained("what to do", (safe(row.detail) or "nothing: it answers",)),
        **dict.fromkeys(("name", "source", "kind", "address"), name),
    }
