"""Bars, sparklines, charts, one-line summaries and tables."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui import sample
from tui import format as fmt
from tui.choices import Choices
from tui.look import Look
from tui.panels.budgets import BUDGETS
from tui.panels.charts import time_axis
from tui.panels.gpus import GPUS
from tui.panels.models import MODELS
from tui.panels.sources import SOURCES
from tui.scene import Scene
from tui.themes import layers, series
from tui.widgets import chart
from tui.widgets.parts import one_line, part
from tui.widgets.spark import bar, resample, spark
from tui.widgets.table import arrange

bins = st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), max_size=80).map(tuple)
RICH = Scene(sample.RICH, Choices(), Look())


@given(bins, st.integers(min_value=0, max_value=120))
def test_a_sparkline_has_its_width_and_leaves_the_unknown_blank(values, width):
    assert len(spark(values, width)) == width
    assert len(resample(values, width)) == width


def test_a_sparkline_starts_at_0_and_a_steady_one_is_low():
    assert spark((0.0, 4.0, 8.0), 3) == "▁▄█"
    assert spark((5.0, 5.0), 2) == "▃▃"
    assert spark((None, 0.0, None), 3) == " ▁ "


def test_a_bar_shows_anything_above_0_and_never_more_than_all():
    assert bar(0.0001, 10) == "╸"
    assert bar(0.5, 10) == "━━━━━"
    assert bar(7.0, 4) == "━━━━"
    assert bar(0.0, 4) == bar(None, 4) == bar(math.nan, 4) == ""


@given(st.lists(bins.filter(bool), min_size=1, max_size=9), st.integers(0, 90), st.integers(0, 20), st.booleans())
def test_a_chart_has_its_size_whatever_the_bins(layers_of, width, height, coloured):
    plot = chart.Plot(tuple(enumerate(layers_of)), coloured)
    rows = chart.draw(plot, width, height, chart.ceiling(chart.peak(plot, width)))
    assert len(rows) == height
    assert all(len(row.text) == len(row.style) == width for row in rows)


def test_a_chart_stacks_from_the_bottom_in_eighths():
    rows = chart.draw(chart.Plot(((3, (1.0,)), (5, (1.5,)))), chart.AXIS + 1, 2, 4.0)
    assert [row.text[-1] + row.style[-1] for row in rows] == ["▂" + layers(5, None), "▄" + layers(3, 5)]
    assert rows[0].text.strip().startswith("4")
    full = chart.draw(chart.Plot(((3, (4.0,)),)), chart.AXIS + 1, 2, 4.0)
    assert [row.text[-1] + row.style[-1] for row in full] == ["█" + series(3)] * 2


@pytest.mark.parametrize(
    ("seconds", "bins", "told"),
    [
        (2.5, 120, ["15:40", "15:41", "15:42", "15:43", "15:44"]),
        (60.0, 60, ["15:40", "15:45", "15:50", "15:55", *(f"16:{minute:02}" for minute in range(0, 40, 5))]),
        (600.0, 144, ["16:00", "18:00", "20:00", "22:00", *(f"{hour:02}:00" for hour in range(0, 15, 2))]),
    ],
    ids=["5 min", "1 h", "1 d"],
)
def test_the_axis_of_a_chart_tells_round_times_and_none_twice(seconds: float, bins: int, told: list[str]) -> None:
    quiet = Scene(replace(sample.EMPTY, timezone="UTC"), Choices(), Look())
    axis = time_axis(quiet, tuple(1_795_361_970.0 + seconds * n for n in range(bins)), 200).text.split()
    assert axis == [*told, "now"]


def test_a_chart_without_colour_shows_the_total():
    rows = chart.draw(chart.Plot(((3, (1.0,)), (5, (1.0,))), coloured=False), chart.AXIS + 1, 2, 4.0)
    assert [row.text[-1] for row in rows] == [" ", "█"]


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_the_top_of_a_scale_is_at_or_a_little_above_the_largest_value(value):
    assert value * 0.998 <= chart.ceiling(value) <= value * 1.35


@given(st.integers(min_value=1, max_value=120))
def test_a_summary_drops_whole_parts_and_crops_none_that_fit(width):
    texts = ("$ 12.56/h", "1.3x usual", "today 43.60", "month 4 118")
    row = one_line(width, [part(text, rank=rank) for rank, text in enumerate(texts)], [part("04:30", rank=9)])
    assert len(row.text) == width
    if width >= len(texts[0]) + 2:
        kept = [word for word in row.text.split("  ") if word.strip()]
        assert all(word.strip() in (*texts, "04:30") for word in kept)
        assert kept[0].strip() == texts[0]


@pytest.mark.parametrize("panel", [MODELS, GPUS, BUDGETS, SOURCES], ids=lambda panel: panel.name)
@given(width=st.integers(min_value=20, max_value=300))
def test_a_table_fits_and_shows_every_figure_whole_or_not_at_all(panel, width):
    items = panel.items(RICH)
    placed = panel.placed(items, RICH, width)
    assert placed[-1].x + placed[-1].width <= width
    assert all(before.x + before.width <= after.x for before, after in pairwise(placed))
    for item in items:
        for each in placed:
            text, _ = each.column.cell(item, RICH, each.width)
            assert each.column.left or len(text) <= each.width, (each.column.key, text)


@pytest.mark.parametrize("panel", [MODELS, GPUS, BUDGETS], ids=lambda panel: panel.name)
def test_a_wider_table_never_shows_fewer_columns(panel):
    shown = [len(panel.placed(panel.items(RICH), RICH, width)) for width in range(20, 300)]
    assert shown == sorted(shown)


def test_columns_go_by_rank_and_the_cost_stays():
    narrow = [each.column.key for each in arrange(MODELS.columns, 24)]
    assert narrow == ["model", "usd_per_hour"]


def test_the_largest_figures_fit_their_columns():
    assert len("~" + fmt.money(99_999.0)) <= next(c.width for c in MODELS.columns if c.key == "usd_per_hour")
