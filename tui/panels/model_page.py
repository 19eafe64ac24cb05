"""A model drilled into: cost and how it was split, tokens, latency, load, GPUs, history, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from infertop.views.page_shapes import ModelPage
from infertop.views.shapes import ModelRow, Quantiles, Stacked
from infertop.views.text import safe
from tui import format as fmt
from tui.panels import charts
from tui.panels.events import EVENTS
from tui.panels.figures import Block, beside
from tui.panels.gpus import COLUMNS
from tui.panels.models import tokens
from tui.panels.sources import glyph
from tui.scene import Scene, estimated
from tui.themes import BOLD, DIM, PLAIN, WARN, series
from tui.widgets.cells import MARGIN, Line, Row, blank
from tui.widgets.parts import Part, join, one_line, part
from tui.widgets.prose import heading, paragraph
from tui.widgets.spark import spark
from tui.widgets.table import Cell, arrange, body, sized
from tui.widgets.table import heading as table_heading

_CLASSES = (("input", "fresh"), ("cache_read", "cached"), ("output", "output"), ("reasoning", "reasoning"))
_HISTORY = (
    ("usd_per_hour", "$/h"),
    ("requests", "req/s"),
    ("input", "fresh/s"),
    ("cache_read", "cached/s"),
    ("output", "output/s"),
)
_WIDE_BRACKETS = 84
_CHART_ROWS = 10
_CHART_WIDTH = 110
_REASONS = 4


def model_rows(page: ModelPage, scene: Scene, width: int, who: Sequence[Row] = ()) -> list[Row]:
    """Return the whole page below its breadcrumbs, with the rows on `who` used it."""
    row = page.row
    rows = [_summary(row, scene, width), *_age(row, width), blank(width)]
    rows += beside((_cost(page), _tokens(row), *([] if _unloaded(row) else [_load(row)])), width)
    rows += [*who, *_latency(row, width), blank(width)]
    rows += _gpus(page, scene, width) + _history(page, scene, width) + _hour(page, scene, width)
    rows += _events(page, scene, width) + _notes(page, width)
    return rows


def _summary(row: ModelRow, scene: Scene, width: int) -> Row:
    left = [
        join([part("$ ", DIM), part(estimated(fmt.money(row.usd_per_hour), row.basis), BOLD), part("/h all-in", DIM)]),
        *_by_usage(row),
        join([part(estimated(fmt.unit_money(row.usd_per_request), row.basis)), part("/request", DIM)], 2),
        join([part(estimated(fmt.per_million(row.usd_per_million.get("blended")), row.basis)), part("/1M", DIM)], 3),
        part(row.basis, DIM, 5),
    ]
    mark, style = glyph(row.state)
    right = [join([part(mark, style), part(f" {row.state}, {fmt.span(row.age_seconds)} old", DIM)], 1)]
    return one_line(width, left, right)


def _by_usage(row: ModelRow) -> list[Part]:
    """Return what it costs without idle time; what is paid by use has none."""
    if row.stated and not fmt.known(row.usage_usd_per_hour):
        return []
    return [join([part(estimated(fmt.money(row.usage_usd_per_hour), row.basis)), part("/h by usage", DIM)], 4)]


def _age(row: ModelRow, width: int) -> list[Row]:
    """Return what there is to know of the row before its figures: why it is marked, that it sleeps or stands still."""
    told = [row.mark_note] if row.marked and row.mark_note else []
    if fmt.known(row.asleep) and row.asleep > 0:
        of_ranks = "" if row.asleep >= 1 else f" on {fmt.percent(row.asleep)} of its ranks"
        told.append(f"asleep{of_ranks}: its weights are off the GPU, what it still holds there is idle cost")
    if row.stuck:
        told.append("running, waiting and KV cache are old: nothing has moved for 30 s, and its GPUs do nothing")
    return [line for text in told for line in paragraph(f"! {text}", width, WARN)]


def _single(*pairs: tuple[str, str], told: bool = False) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    """Return the lines of a block; of what is `told` by an account, nobody misses what it does not have."""
    return tuple((label, ((text, PLAIN),)) for label, text in pairs if not told or text != fmt.UNKNOWN)


def _cost(page: ModelPage) -> Block:
    row = page.row
    million = row.usd_per_million
    parts = (("/h prefill", page.prefill_usd_per_hour), ("/h decode", page.decode_usd_per_hour))
    return Block(
        "COST",
        ("$",),
        (8,),
        _single(
            ("/h all-in", fmt.money(row.usd_per_hour)),
            ("/h by usage", fmt.money(row.usage_usd_per_hour)),
            *((name, fmt.money(usd)) for name, usd in parts if fmt.known(usd)),
            ("/h margin", fmt.money(row.shadow_margin_usd_per_hour)),
            ("/request", fmt.unit_money(row.usd_per_request)),
            *((f"/1M {name}", fmt.per_million(million.get(key))) for key, name in _CLASSES[:3]),
            ("/1M blended", fmt.per_million(million.get("blended"))),
            told=row.stated,
        ),
        label=12,
    )


def _tokens(row: ModelRow) -> Block:
    def line(label: str, now: str, today: str = "", style: str = PLAIN) -> tuple[str, tuple[Cell, ...]]:
        return label, ((now, style), (today, DIM))

    shown = [pair for pair in _CLASSES if pair[0] != "reasoning" or row.tokens_per_second.get("reasoning")]
    rates, totals = row.tokens_per_second, row.totals
    lines = (
        *(line(name, fmt.count(rates.get(key)), fmt.count(totals.get(key))) for key, name in shown),
        line("all", fmt.count(tokens(row)), style=BOLD),
        line("requests", fmt.rate(row.requests_per_second), fmt.count(totals.get("requests"))),
        *(line(f" {safe(reason, 10)}", fmt.rate(rate)) for reason, rate in _reasons(row.answers_by_reason)),
        line("failed", fmt.rate(row.failed_per_second)),
        *(line(f" {safe(reason, 10)}", fmt.rate(rate)) for reason, rate in _reasons(row.failed_by_reason)),
        line("aborted", fmt.rate(row.aborted_per_second)),
        line("prompt/req", fmt.count(row.prompt_tokens_per_request)),
        line("output/req", fmt.count(row.output_tokens_per_request)),
    )
    known = (each for each in lines if not row.stated or any(text not in ("", fmt.UNKNOWN) for text, _ in each[1]))
    return Block("TOKENS", ("/s", "today"), (7, 7), tuple(known), label=11)


def _reasons(told: Mapping[str, float | None]) -> list[tuple[str, float]]:
    """Return the reasons that there were in the window, as many as there is room for."""
    return [(reason, rate) for reason, rate in told.items() if fmt.known(rate) and rate > 0][:_REASONS]


def _load(row: ModelRow) -> Block:
    old = "?" if row.stuck else ""
    phases = (("GPU prefill", row.prefill_gpu_ratio), ("GPU decode", row.decode_gpu_ratio))
    return Block(
        "LOAD",
        ("now",),
        (6,),
        _single(
            ("running", fmt.count(row.running) + old),
            ("waiting", fmt.count(row.waiting) + old),
            ("KV cache mean", fmt.percent(row.kv_cache_usage) + old),
            ("KV cache peak", fmt.percent(row.kv_cache_peak)),
            ("prefix hits", fmt.percent(row.cache_hit_ratio)),
            ("drafts taken", fmt.percent(row.draft_acceptance_ratio)),
            ("preemptions/s", fmt.rate(row.preemptions_per_second)),
            *((name, fmt.percent(ratio)) for name, ratio in phases if fmt.known(ratio)),
        ),
        label=13,
    )


def _unloaded(row: ModelRow) -> bool:
    """Return whether it is told by an account, that knows nothing of what the servers behind it have to do."""
    seen = (row.running, row.waiting, row.kv_cache_usage, row.kv_cache_peak, row.preemptions_per_second)
    return row.stated and not any(map(fmt.known, seen))


def _latency(row: ModelRow, width: int) -> list[Row]:
    figures = (row.ttft, row.inter_token, row.request, row.queue)
    if row.stated and all(each == Quantiles() for each in figures):
        return [
            heading("LATENCY", width),
            *paragraph("not told: an account or a log says what was used, not how fast it was", width, DIM),
        ]
    wide = width >= _WIDE_BRACKETS
    show = fmt.bracket if wide else fmt.quantile

    def line(label: str, q: Quantiles, in_millis: bool) -> tuple[str, tuple[Cell, ...]]:
        mean = fmt.millis(q.mean) if in_millis else fmt.seconds(q.mean)
        figures = [show(each, in_millis=in_millis) for each in (q.p50, q.p95, q.p99)]
        return label, tuple((text, PLAIN) for text in (*figures, mean, fmt.count(q.count or None)))

    rows = (
        line("TTFT s", row.ttft, False),
        line("inter-token ms", row.inter_token, True),
        line("request s", row.request, False),
        line("queue s", row.queue, False),
    )
    size = 17 if wide else 8
    return Block("LATENCY", ("p50", "p95", "p99", "mean", "of"), (size, size, size, 7, 7), rows, label=15).draw(width)


def _gpus(page: ModelPage, scene: Scene, width: int) -> list[Row]:
    if not page.gpus:
        return []
    columns = [column for column in COLUMNS if column.key != "models"]
    placed = arrange(sized(columns, page.gpus, scene), width)
    drawn = [body(placed, gpu, scene, width, here=False, grey=gpu.state != "up") for gpu in page.gpus]
    return [table_heading(placed, width, "GPU"), *drawn, blank(width)]


def _history(page: ModelPage, scene: Scene, width: int) -> list[Row]:
    """Return a line a series; where there is room, the tokens as a chart in place of their lines."""
    if len(page.times) < 2:
        return []
    wide = width >= _CHART_WIDTH
    length = page.times[-1] - page.times[0] + page.times[1] - page.times[0]
    rows = [heading(f"HISTORY  {fmt.span(length)}", width)]
    for key, label in _HISTORY:
        bins = page.history.get(key, ())
        if any(fmt.known(value) for value in bins) and not (wide and key in charts.TOKEN_COLOURS):
            rows.append(_series(key, label, page, scene, width))
    rows.append(blank(width))
    return rows + (_token_chart(page, scene, width) if wide else [])


def _series(key: str, label: str, page: ModelPage, scene: Scene, width: int) -> Row:
    bins = page.history[key]
    show = fmt.money if key == "usd_per_hour" else fmt.rate if key == "requests" else fmt.count
    known = [value for value in bins if fmt.known(value)]
    figures = f"{show(known[-1])}   max {show(max(known)):>7}"
    number = charts.TOKEN_COLOURS.get(key, scene.look.colour(page.row.model))
    line = Line(width)
    line.put(MARGIN, label, DIM)
    line.put(MARGIN + 10, spark(bins, max(0, width - 34)), series(number) if scene.look.coloured else DIM)
    line.put(width - 1 - len(figures), figures)
    return line.row()


def _token_chart(page: ModelPage, scene: Scene, width: int) -> list[Row]:
    names = [key for key, _ in _CLASSES if any(fmt.known(v) for v in page.history.get(key, ()))]
    history = Stacked(page.times, tuple((name, page.history[name]) for name in names))
    panel = charts.ChartPanel(
        "tokens", "TOKENS/S", lambda s: history, lambda s, n: charts.TOKEN_COLOURS[n], lambda n: charts.TOKEN_NAMES[n]
    )
    return [*panel.draw(scene, width, _CHART_ROWS), blank(width)] if names else []


def _hour(page: ModelPage, scene: Scene, width: int) -> list[Row]:
    """Return what it cost over the last hour as a chart: where there is room, and no other model has its name."""
    name, history = page.row.model, scene.view.cost_history
    layer = next((each for each in history.layers if each[0] == name), None)
    if layer is None or width < _CHART_WIDTH or sum(row.model == name for row in scene.view.models) > 1:
        return []
    panel = replace(charts.COST_CHART, title="$/HOUR", read=lambda s: Stacked(history.times, (layer,)))
    return [*panel.draw(scene, width, _CHART_ROWS), blank(width)]


def _events(page: ModelPage, scene: Scene, width: int) -> list[Row]:
    if not page.events:
        return []
    placed = arrange(EVENTS.columns, width)
    drawn = [body(placed, event, scene, width, here=False, grey=False) for event in page.events]
    return [table_heading(placed, width, "EVENT"), *drawn, blank(width)]


def _notes(page: ModelPage, width: int) -> list[Row]:
    """Return how the cost was split, by which prices, and what the engine does not say."""
    rows = [heading("HOW", width)]
    for label, text in (("split", page.split_method), ("allocation", page.allocation_note)):
        if text:
            rows += paragraph(f"{label}: {text}", width)
    for text in page.price_notes:
        rows += paragraph(f"price: {text}", width)
    for text in page.caveats:
        rows += paragraph(f"note: {text}", width)
    for label, names in (("not reported by the engine", page.not_reported), ("not on its page (yet)", page.not_shown)):
        if names:
            rows += paragraph(f"{label}: {', '.join(names)}", width, DIM)
    return rows if len(rows) > 1 else []
