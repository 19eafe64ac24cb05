"""The first lines: where this is, what is spent an hour, on what, and whether that is normal."""

from __future__ import annotations

from infertop.views.shapes import Headline
from tui import format as fmt
from tui.moments import dated, exact, stamp
from tui.panels.sources import own_cost
from tui.scene import ESTIMATES, Scene
from tui.themes import ACCENT, ALARM, BADGE, BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.cells import Row, cells, cut, cut_words
from tui.widgets.parts import Part, join, one_line, part
from tui.widgets.spark import spark

HOW_UNPRICED = "infertop prices --unpriced"
HOW_OWN = "set [host] in pricing.toml"
_OLD_SECONDS = 90.0
_USUAL = 0.05
_NAME_CELLS, _VIEWER_CELLS = 32, 60
_TREND_CELLS = (14, 60)


def title_line(scene: Scene, width: int, crumbs: tuple[str, ...] = ()) -> Row:
    """Return the line that every page begins with: program, mode, machine or breadcrumbs, and how live this is."""
    view = scene.view
    left = [part("infertop", ACCENT)]
    if view.mode == "demo":
        left.append(part(" DEMO ", BADGE))
    if view.mode == "replay":
        left.append(part(" REPLAY ", BADGE))
    if scene.choices.paused:
        left.append(part(" PAUSED ", BADGE))
    if crumbs:
        trail = " › ".join(cut(cells(crumb), _NAME_CELLS) for crumb in crumbs)
        left.append(part(f"› {trail}", BOLD, 1))
    else:
        left.append(part(cut(cells(view.host), _NAME_CELLS), DIM, 6))
    return one_line(width, left, _status(scene), gap=2)


def _status(scene: Scene) -> list[Part]:
    view = scene.view
    right = [*_troubles(scene)]
    if scene.choices.paused:
        right.append(part(f"at {exact(view.at, view.timezone)}, collecting goes on", DIM, 3))
    elif view.mode == "replay":
        right.append(join([part("●", ACCENT), part(f" {view.recorder or 'reading'}")], 1))
        right.append(part(dated(view.at, view.timezone), PLAIN, 0))
    elif view.mode == "viewer":
        who, _, more = (view.recorder or "another infertop records").partition("; ")
        right.append(part(cut_words(cells(f"viewer: {who}"), _VIEWER_CELLS), WARN, 2))
        right += [part(cut_words(cells(more), _VIEWER_CELLS), WARN, 7)] if more else []
    else:
        right.append(join([part("●", OK), part(f" {view.mode}"), part(f" {fmt.span(view.interval_seconds)}", DIM)], 4))
    if own := own_cost(view):
        right.append(part(f"self {own}", DIM, 8))
    if view.window_seconds:
        right.append(part(f"avg {fmt.span(view.window_seconds)}", DIM, 5))
    if view.mode != "replay":
        right.append(part(stamp(view.at, view.timezone), DIM, 6))
    return right


def _troubles(scene: Scene) -> list[Part]:
    """Return how many sources cannot be read, where any cannot; of those that are stale it is not known why."""
    sources = scene.view.sources
    lost = sum(source.state in ("down", "auth", "stale") for source in sources)
    how = "down" if any(source.state in ("down", "auth") for source in sources) else "not heard"
    return [part(f"! {lost} of {len(sources)} {how}", ALARM, 2)] if lost else []


def cost_line(scene: Scene, width: int) -> Row:
    """Return $/hour, how that compares with what is usual, today, and where the month will end."""
    head = scene.view.headline
    left = [join([part("$ ", DIM), part(fmt.money(head.usd_per_hour), BOLD), part("/h", DIM)])]
    left += _usual(head)
    left.append(join([part("today ", DIM), part(fmt.money(head.today_usd))], 2))
    left += _month(head)
    return one_line(width, left)


def _usual(head: Headline) -> list[Part]:
    now, usual = head.usd_per_hour, head.usual_usd_per_hour
    if not fmt.known(usual) or usual <= 0:
        return [part(f"usual: {cut(cells(head.usual_note), 40)}", DIM, 8)] if head.usual_note else []
    if not fmt.known(now):
        return [part(f"usual {fmt.money(usual)}/h", DIM, 8)]
    ratio = now / usual
    if abs(ratio - 1) < _USUAL:
        return [part("as usual", DIM, 4)]
    arrow = "▲" if ratio > 1 else "▼"
    return [part(f"{arrow} {ratio:.1f}x usual{' !' if head.marked else ''}", WARN if head.marked else PLAIN, 1)]


def _month(head: Headline) -> list[Part]:
    mid = head.month_forecast_usd[1]
    inks = [part("month ", DIM), part(fmt.money(head.month_usd))]
    if fmt.known(mid):
        inks += [part(" → ", DIM), part(fmt.spread(head.month_forecast_usd))]
    if fmt.known(head.month_limit_usd):
        inks += [part(" of ", DIM), part(fmt.money(head.month_limit_usd))]
        if fmt.known(mid) and mid > head.month_limit_usd:
            inks.append(part(" !", ALARM))
    return [join(inks, 3)]


def _amount(name: str, value: float | None, rank: int, mark: str = "", after: str = "") -> list[Part]:
    if not fmt.known(value):
        return []
    return [join([part(f"{name} ", DIM), part(f"{mark}{fmt.money(value)}"), part(after, DIM)], rank)]


def _told(head: Headline) -> str:
    """Return how old what providers told is, where that is more than what everything else has."""
    age = head.api_age_seconds
    return f" {fmt.span(age)} old" if fmt.known(age) and age >= _OLD_SECONDS else ""


def _idle(head: Headline) -> list[Part]:
    idle, gpu = head.idle_usd_per_hour, head.gpu_usd_per_hour
    if not fmt.known(idle):
        return []
    share = f" ({fmt.percent(idle / gpu)})" if fmt.known(gpu) and gpu > 0 else ""
    wasteful = fmt.known(gpu) and gpu > 0 and idle / gpu > 0.25
    return [join([part("of which idle ", DIM), part(f"{fmt.money(idle)}{share}", WARN if wasteful else PLAIN)], 1)]


def split_line(scene: Scene, width: int) -> Row:
    """Return what the hour is spent on, what has no price of its own, and the last hour as a line."""
    head = scene.view.headline
    remote = [row for row in scene.view.models if row.provider != "local"]
    guess = "~" if any(row.basis in ESTIMATES for row in remote) else ""
    left = _amount("gpu", head.gpu_usd_per_hour, 0) + _idle(head)
    left += _amount("unheld", head.unheld_usd_per_hour or None, 5)
    left += _amount("api", head.api_usd_per_hour, 2, guess, _told(head))
    left += _amount("host", head.host_usd_per_hour, 4)
    left += _unpriced(head, width - sum(each.width + 3 for each in left) - 2)
    if head.default_prices:
        left.append(part(f"{head.default_prices} at default price", DIM, 7))
    taken = sum(each.width + 3 for each in left) + 2
    room = min(_TREND_CELLS[1], width - taken - 6)
    trend = [part("1 h ", DIM, 6), part(spark(head.trend, room), ACCENT, 6)] if room >= _TREND_CELLS[0] else []
    return one_line(width, left, [join(trend, 6)] if trend and head.trend else [])


def unpriced_words(head: Headline) -> list[str]:
    """Return what has no price, a phrase each."""
    words = []
    if head.unpriced_models:
        size = f"{fmt.count(head.unpriced_tokens)} tokens today"
        words.append(f"{head.unpriced_models} model{'s'[: head.unpriced_models > 1]} ({size})")
    if head.unpriced:
        words.append(f"{head.unpriced} GPU{'s'[: head.unpriced > 1]}")
    if head.unpriced_own:
        words.append(f"{head.unpriced_own} own model{'s'[: head.unpriced_own > 1]}")
    return words


def _unpriced(head: Headline, room: int) -> list[Part]:
    """Return what has no price and how to see it, in the most words that there is room for."""
    if not (words := unpriced_words(head)):
        return []
    told = f"! {head.unpriced_models + head.unpriced + head.unpriced_own} unpriced"
    longer = f"! unpriced: {', '.join(words)}"
    how = HOW_UNPRICED if head.unpriced_models or head.unpriced else HOW_OWN
    choices = (f"{longer}: {how}", longer, f"{told}: {how}", told)
    return [part(next((text for text in choices if len(text) <= room), told), WARN, 3)]


def head_rows(scene: Scene, width: int, height: int) -> list[Row]:
    """Return the first `height` (up to 3) of these lines, the cost first where there is one alone."""
    rows = [title_line(scene, width), cost_line(scene, width), split_line(scene, width)]
    return rows[1:2] if height == 1 else rows[:height]


def notice_line(scene: Scene, width: int) -> Row:
    """Return the newest notice, and how many more there are."""
    notices = scene.view.notices
    more = f"  (+{len(notices) - 1}, see 6)" if len(notices) > 1 else ""
    room = width - 4 - len(more)
    return one_line(width, [join([part("! ", WARN), part(cut(cells(notices[0]), room), WARN), part(more, DIM)])], gap=0)
