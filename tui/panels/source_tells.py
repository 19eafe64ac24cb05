"""What the source under the cursor tells of: its models, its GPUs, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass

from infertop.views.shapes import SourceRow, Spark
from tui import format as fmt
from tui.panels.gpus import short_name
from tui.panels.models import tokens
from tui.panels.sheet import Sheet
from tui.panels.sources import SOURCES
from tui.scene import Scene, estimated, named
from tui.themes import BOLD, DIM, PLAIN
from tui.widgets.spark import spark
from tui.widgets.table import Cell, Column


@dataclass(frozen=True, slots=True)
class Told:
    """A model or GPU that a source tells of, what it does, and its trend, up to `most` where that is set."""

    name: str
    usd: str
    does: str
    trend: Spark
    colour: str = ""
    most: float | None = None


def told(scene: Scene) -> list[Told]:
    """Return what the source under the cursor tells of, the dearest first."""
    source = SOURCES.chosen(scene)
    return [*_models(source, scene), *_gpus(source, scene)] if source else []


def _models(source: SourceRow, scene: Scene) -> list[Told]:
    return [
        Told(
            named(row.model),
            estimated(fmt.money(row.usd_per_hour), row.basis),
            f"{fmt.count(tokens(row))} tok/s, {fmt.rate(row.requests_per_second)} req/s",
            row.trend,
            scene.look.letter(row.model),
        )
        for row in scene.view.models
        if row.source == source.name
    ]


def _gpus(source: SourceRow, scene: Scene) -> list[Told]:
    return [
        Told(
            short_name(gpu),
            fmt.money(gpu.usd_per_hour),
            f"{fmt.percent(gpu.utilization)} busy, {fmt.count(gpu.power_watts)} W",
            gpu.trend,
            most=1.0,
        )
        for gpu in scene.view.gpus
        if gpu.source == source.name
    ]


def _trend(row: Told, scene: Scene, width: int) -> Cell:
    return spark(row.trend, width, row.most), row.colour or PLAIN


TELLS: Sheet[Told] = Sheet(
    name="tells",
    title=lambda scene: "TELLS OF",
    columns=(
        Column("name", "", 18, lambda r, s, w: (r.name, PLAIN), left=True, grow=24),
        Column("usd", "$/h", 8, lambda r, s, w: (r.usd, BOLD)),
        Column("does", "", 20, lambda r, s, w: (r.does, DIM), rank=2, left=True, grow=12, gap=2),
        Column("trend", "trend", 8, _trend, rank=1, left=True, grow=40, late=True, gap=2),
    ),
    items=told,
)
