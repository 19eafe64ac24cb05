"""Models: what each costs, how fast it is and how full, dearest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infertop.views.shapes import ModelRow, Overview
from tui import format as fmt
from tui.incidents import about
from tui.panels.panel import Order, TablePanel
from tui.scene import ESTIMATES, Scene, aged, estimated, named, short_source
from tui.themes import ALARM, BOLD, DIM, PLAIN, WARN
from tui.widgets.spark import spark
from tui.widgets.table import Cell, Column

UNHELD = "unheld"
_NONE = "no model has been seen yet: 5 shows what is read, infertop check what was looked for"
_TAB = "\t"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table: a model, a group's sum, or the GPUs that no model holds (`role`); `text` is its name."""

    row: ModelRow
    role: str = "model"
    indent: str = ""

    @property
    def text(self) -> str:
        """The name as shown, set in below its group."""
        return self.indent + named(self.row.model)

    @property
    def key(self) -> str:
        """Source and model with a tab between: what `explain` is asked with."""
        return f"{self.row.source}{_TAB}{self.row.model}"


def split_key(key: str) -> tuple[str, str]:
    """Return source and model of an entry's key."""
    source, _, model = key.partition(_TAB)
    return source, model


def total(values: Iterable[float | None]) -> float | None:
    """Return the sum of what is known, None where nothing is."""
    numbers = [value for value in values if fmt.known(value)]
    return sum(numbers) if numbers else None


def tokens(row: ModelRow) -> float | None:
    """Return tokens a second of all classes together."""
    return total(row.tokens_per_second.values())


def prompt_tokens(row: ModelRow) -> float | None:
    """Return prompt tokens a second, cached ones included."""
    return total(v for name, v in row.tokens_per_second.items() if name.startswith(("input", "cache")))


def _unheld(view: Overview) -> list[Entry]:
    usd = view.headline.unheld_usd_per_hour
    if not fmt.known(usd) or usd <= 0:
        return []
    free = [gpu.index for gpu in view.gpus if not gpu.models]
    where = f"gpu {free[0]}" if len(free) == 1 else f"{len(free)} gpus" if free else "gpus"
    row = ModelRow(where, UNHELD, UNHELD, "local", "up", None, "measured", view.window_seconds, usd_per_hour=usd)
    return [Entry(row, UNHELD)]


def _sum(name: str, members: list[ModelRow]) -> Entry:
    """Return the line above a group: sums of what adds up, `~` where a member's cost is unknown or estimated."""
    members = [m for m in members if m.counts] or members  # what another source counts adds nothing
    exact = all(fmt.known(m.usd_per_hour) and m.basis not in ESTIMATES for m in members)
    first = members[0]
    row = ModelRow(
        source="",
        model=name,
        kind=first.kind,
        provider=first.provider,
        state="up",
        age_seconds=None,
        basis="measured" if exact else "estimated",
        window_seconds=first.window_seconds,
        usd_per_hour=total(m.usd_per_hour for m in members),
        tokens_per_second={"all": total(tokens(m) for m in members)},
        requests_per_second=total(m.requests_per_second for m in members),
        waiting=total(m.waiting for m in members),
        shadow_margin_usd_per_hour=total(m.shadow_margin_usd_per_hour for m in members),
        marked=any(m.marked for m in members),
    )
    return Entry(row, "group")


def entries(scene: Scene) -> list[Entry]:
    """Return what the filter lets through, in the order and grouping chosen; the unheld GPUs come last."""
    choices = scene.choices
    rows = [r for r in scene.view.models if choices.matches(r.model, r.source, r.kind, r.provider)]
    ordered = MODELS.order(scene).sorted([Entry(row) for row in rows])
    rest = [] if choices.filter else _unheld(scene.view)
    if choices.group == 0:
        return ordered + rest
    groups: dict[str, list[Entry]] = {}
    for entry in ordered:
        name = short_source(entry.row.source) if choices.group == 1 else entry.row.kind
        groups.setdefault(name, []).append(Entry(entry.row, indent="  "))
    grouped = [e for name, each in groups.items() for e in (_sum(name, [m.row for m in each]), *each)]
    return grouped + rest


def _figure(read: Callable[[ModelRow], str]) -> Callable[[Entry, Scene, int], Cell]:
    """Return a figure as read; what does not add up to a group's or the unheld GPUs' is left blank there."""

    def cell(entry: Entry, scene: Scene, width: int) -> Cell:
        text = read(entry.row)
        if entry.role != "model" and text == fmt.UNKNOWN:
            text = ""
        return text, BOLD if entry.role == "group" else PLAIN

    return cell


def _name(entry: Entry, scene: Scene, width: int) -> Cell:
    return entry.text, {"group": BOLD, UNHELD: DIM}.get(entry.role, PLAIN)


def _in_incident(entry: Entry, scene: Scene) -> bool:
    row = entry.row
    of = {"model": row.model, "source": row.source, "provider": row.provider}
    return entry.role == "model" and about(scene.view.events, **of)


def _usd(entry: Entry, scene: Scene, width: int) -> Cell:
    row = entry.row
    style = ALARM if _in_incident(entry, scene) else WARN if row.marked else BOLD
    return estimated(fmt.money(row.usd_per_hour), row.basis), style


def _trend(entry: Entry, scene: Scene, width: int) -> Cell:
    row = entry.row
    if row.state != "up":
        return aged(row.state, row.age_seconds), DIM
    if fmt.known(row.asleep) and row.asleep >= 1:
        return "asleep", DIM
    return spark(row.trend, width), scene.look.letter(row.model)


def _mark(entry: Entry, scene: Scene, width: int) -> Cell:
    if _in_incident(entry, scene):
        return "!", ALARM
    if entry.row.marked:
        return "!", WARN
    return ("", PLAIN) if entry.row.counts else ("*", DIM)  # counted by another source


def _now(read: Callable[[ModelRow], float | None]) -> Callable[[ModelRow], str]:
    """Return a count of now, with a question mark where nothing has moved for so long that it is of then."""
    return lambda row: fmt.count(read(row)) + ("?" if row.stuck else "")


def _margin(row: ModelRow) -> str:
    text = fmt.money(row.shadow_margin_usd_per_hour)
    return f"+{text}" if fmt.known(row.shadow_margin_usd_per_hour) and row.shadow_margin_usd_per_hour > 0 else text


COLUMNS: tuple[Column[Entry], ...] = (
    Column("model", "MODEL", 15, _name, left=True, grow=40),
    Column(
        "source", "SOURCE", 12, lambda e, s, w: (short_source(e.row.source), DIM), rank=7, left=True, grow=11, gap=2
    ),
    Column("usd_per_hour", "$/h", 7, _usd),
    Column("usage_usd_per_hour", "usage", 7, _figure(lambda r: fmt.money(r.usage_usd_per_hour)), rank=15),
    Column("tokens_per_second", "tok/s", 6, _figure(lambda r: fmt.count(tokens(r))), rank=3),
    Column("requests_per_second", "req/s", 6, _figure(lambda r: fmt.rate(r.requests_per_second)), rank=5),
    Column("usd_per_request", "$/req", 7, _figure(lambda r: fmt.unit_money(r.usd_per_request)), rank=2),
    Column("usd_per_million", "$/1M", 6, _figure(lambda r: fmt.per_million(r.usd_per_million.get("blended"))), rank=4),
    Column("ttft", "TTFT p50", 8, _figure(lambda r: fmt.quantile(r.ttft.p50)), rank=10, gap=2),
    Column("ttft", "p95 s", 6, _figure(lambda r: fmt.quantile(r.ttft.p95)), rank=10),
    Column("inter_token", "ITL ms", 6, _figure(lambda r: fmt.quantile(r.inter_token.p50, in_millis=True)), rank=12),
    Column("running", "run", 5, _figure(_now(lambda r: r.running)), rank=16),
    Column("waiting", "wait", 5, _figure(_now(lambda r: r.waiting)), rank=9),
    Column("kv_cache_usage", "KV", 5, _figure(lambda r: fmt.percent(r.kv_cache_usage)), rank=11),
    Column("cache_hit_ratio", "hits", 5, _figure(lambda r: fmt.percent(r.cache_hit_ratio)), rank=17),
    Column("prompt", "prompt/s", 8, _figure(lambda r: fmt.count(prompt_tokens(r))), rank=13),
    Column("output", "out/s", 6, _figure(lambda r: fmt.count(r.tokens_per_second.get("output"))), rank=18),
    Column("shadow_margin_usd_per_hour", "margin", 7, _figure(_margin), rank=14),
    Column("trend", "trend", 8, _trend, rank=6, left=True, grow=30, late=True, gap=2),
    Column("mark", "", 1, _mark, rank=1, left=True),
)

MODELS: TablePanel[Entry] = TablePanel(
    name="models",
    title="MODEL",
    columns=COLUMNS,
    items=entries,
    key=lambda entry: entry.key,
    label=lambda entry: entry.text,
    fresh=lambda entry: entry.row.state == "up",
    empty=lambda scene: "no model matches the filter" if scene.choices.filter else _NONE,
    orders=(
        Order("usd_per_hour"),
        Order("tokens_per_second", lambda e: tokens(e.row)),
        Order("requests_per_second", lambda e: e.row.requests_per_second),
        Order("usd_per_request", lambda e: e.row.usd_per_request),
        Order("usd_per_million", lambda e: e.row.usd_per_million.get("blended")),
        Order("waiting", lambda e: e.row.waiting),
        Order("model", lambda e: e.row.model.casefold(), rising=True),
    ),
)
