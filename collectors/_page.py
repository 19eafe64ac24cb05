"""What the collectors of metrics pages share: where a page is, what it says in the vocabulary, and that it is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.exposition import Exposition, Layout
from infertop.readings.mapping import Plan, Table, plan_for
from infertop.readings.model import Batch, Series, Value
from infertop.readings.safe import safe

if TYPE_CHECKING:
    from infertop.engine.http import Http

Adapt = Callable[[Table, bytes], Table]
# So many pages in a row may lack what was read before it is given up for gone.
_LOST = Series("unreadable_lines")
_PATIENCE = 10
_NOT_METRICS = {b"<": "a web page", b"{": "JSON", b"[": "JSON"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one page said; `started` is the start of its process in epoch seconds where the page has it."""

    series: tuple[Series, ...]
    values: tuple[Value, ...]
    started: float | None
    notes: tuple[str, ...] = ()
    rejected: int = 0

    def batch(self, config: SourceConfig, ts: float, started: float | None = None) -> Batch:
        """Make the batch of a poll at `ts`; `started` is what something other than the page says."""
        return Batch(
            config.name,
            ts,
            self.series,
            self.values,
            started=started or self.started,
            notes=self.notes,
            rejected=self.rejected,
        )


class MetricsPage:
    """A target's metrics page, read again and again: names are matched again only when its layout changes.

    `adapt` may change the table for a layout, where a name alone does not say what a page means.
    """

    def __init__(self, where: str, table: Table, adapt: Adapt | None = None) -> None:
        self._where = where
        self._table = table
        self._adapt = adapt
        self._exposition = Exposition(table.wanted())
        self._known: tuple[Layout, str | None] | None = None
        self._plan: Plan | None = None
        self._lacked = 0
        self._first, self._doubtful = True, False
        self._extended: tuple[tuple[Series, ...], tuple[Series, ...]] = ((), ())

    def read(self, body: bytes, model: str | None = None) -> Reading:
        """Read a page; `model` names what has no model label. Raise Unavailable where it is no metrics page."""
        check_whole(self._where, body)
        page = self._exposition.parse(body)
        plan = self._plan_for(page.layout, body, model)
        series, values = plan.read(page.values)
        if self._first:
            self._first, self._doubtful = False, page.lost > 0
        if self._doubtful and series:
            # A counter whose line cannot be read now would look new on a later page: whoever counts must know.
            series, values = self._with_lost(series), (*values, float(page.lost))
        notes = [complaint(self._where, page.rejected, page.first_rejected)] if page.rejected else []
        if plan.choices.dropped:
            notes.append(f"{self._where}: {plan.choices.dropped} series are beyond what a page may have")
        return Reading(series, values, plan.started(page.values), tuple(notes), page.rejected)

    def _with_lost(self, series: tuple[Series, ...]) -> tuple[Series, ...]:
        """Return `series` and the meter of lost lines; the same object while `series` is."""
        if self._extended[0] is not series:
            self._extended = (series, (*series, _LOST))
        return self._extended[1]

    def _plan_for(self, layout: Layout, body: bytes, model: str | None) -> Plan:
        if self._plan is None or self._known is None or self._known[0] is not layout or self._known[1] != model:
            table = self._adapt(self._table, body) if self._adapt else self._table
            before = self._plan.choices if self._plan and self._lacked < _PATIENCE else None
            self._known, self._plan = (layout, model), plan_for(table, layout, model, before)
        self._lacked = self._lacked + 1 if self._plan.choices.lacking else 0
        if self._lacked == _PATIENCE:
            self._known = None
        return self._plan


def check_whole(where: str, body: bytes) -> None:
    """Raise Unavailable where this is no metrics page, or the beginning of one."""
    what = _NOT_METRICS.get(body[:256].lstrip()[:1])
    if what:
        raise Unavailable(f"{where} answers with {what}, not with metrics: is the url right?")
    if body and not body.endswith(b"\n"):
        # Half a number, or a sum without some of its parts, would look like a counter that began again.
        raise Unavailable(f"the page at {where} ends in the middle of a line: it was cut off on the way")


def complaint(where: str, rejected: int, first: str) -> str:
    """Return the note about lines that could not be read."""
    lines = "1 line" if rejected == 1 else f"{rejected} lines"
    return f"{where}: {lines} could not be read, first: {safe(first, 160)}"


def metrics_url(url: str) -> str:
    """Return where the metrics of a source are, given its base, the base of its API (/v1), or the page itself."""
    base = url.rstrip("/")
    return base if base.endswith("/metrics") else base.removesuffix("/v1") + "/metrics"


def shown(url: str) -> str:
    """Return a URL without its scheme, fit for a sentence."""
    return safe(url.partition("://")[2] or url, 160)


def needed(config: SourceConfig, http: Http | None) -> Http:
    """Return the connection; raise ValueError where the source was given no url."""
    if http is None:
        raise ValueError(f"{config.name}: {config.kind} needs a url")
    return http


def text_options(config: SourceConfig, names: tuple[str, ...]) -> dict[str, str]:
    """Return the options among `names` that are set; raise ValueError where one is not text."""
    options = {name: config.options[name] for name in names if config.options.get(name) not in (None, "")}
    for name, value in options.items():
        if not isinstance(value, str):
            raise ValueError(f"{config.name}: {name} must be a name in quotes")
    return {name: str(value) for name, value in options.items()}
