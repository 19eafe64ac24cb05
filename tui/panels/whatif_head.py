"""The first lines of the what-if page: whose traffic it is, what it costs now, and what it is made of."""

from __future__ import annotations

from infertop.views.whatif_shapes import SEVERAL_KINDS, WhatIf
from tui import format as fmt
from tui.panels.headline import title_line
from tui.panels.whatif import ALL, EVERYTHING, subject, subject_key
from tui.scene import Scene, estimated, named, short_source
from tui.themes import BOLD, DIM, PLAIN, WARN
from tui.widgets.cells import Row, cells, cut
from tui.widgets.parts import Part, join, one_line, part

_NAMES = {"input": "fresh", "cache_read": "cached", "output": "output", "reasoning": "reasoning"}
_SLOW = 0.1
_COMPLETE = 0.995
_GPU_CELLS = 28


def subject_name(found: WhatIf) -> str:
    """Return the subject in words: `llama-3-70b on vllm:8000`, `everything`."""
    if found.model == ALL:
        return EVERYTHING
    return f"{named(found.model)} on {short_source(found.source)}" if found.source else named(found.model)


def whatif_head(scene: Scene, width: int, height: int) -> list[Row]:
    """Return the first `height` (up to 3) of these lines."""
    found = subject(scene)
    name = subject_name(found) if found else scene.choices.subject.partition("\t")[2]
    title = title_line(scene, width, ("what-if", name) if name else ("what-if",))
    if found is None:
        return [title]
    rows = [title, _cost_line(found, width), _span_line(found, scene, width)]
    return rows[1:2] if height == 1 else rows[:height]


def _per(amount: float | None, seconds: float) -> float | None:
    return amount / seconds if fmt.known(amount) and seconds > 0 else None


def _requests(found: WhatIf) -> Part:
    rate = _per(found.requests, found.seconds)
    slow = fmt.known(rate) and rate < _SLOW
    shown = fmt.rate(rate * 3600 if slow and fmt.known(rate) else rate)
    return join([part(shown), part(" req/h" if slow else " req/s", DIM)], 2)


def _tokens(found: WhatIf) -> list[Part]:
    """Return tokens a second by class; those that are not there are left out, the rarer ones give way first."""
    parts = []
    for rank, (name, count) in enumerate(sorted(found.tokens.items(), key=lambda item: -item[1])):
        if count > 0:
            label = _NAMES.get(name, name.replace("_", " "))
            inks = [part(fmt.count(_per(count, found.seconds))), part(f" {cut(cells(label), 14)}/s", DIM)]
            parts.append(join(inks, 3 + rank))
    return parts


def _cost_line(found: WhatIf, width: int) -> Row:
    usd = estimated(fmt.money(found.usd_per_hour), found.basis)
    left = [join([part("$ ", DIM), part(f"{usd}/h", BOLD), part(" now", DIM)])]
    left += [part(cut(cells(found.basis), 12), DIM, 9)] if fmt.known(found.usd_per_hour) else []
    left += [_requests(found), *_tokens(found)]
    return one_line(width, left, gap=2)


def _span_line(found: WhatIf, scene: Scene, width: int) -> Row:
    page, wanted = scene.whatif, scene.choices.span
    partial = not fmt.known(found.coverage) or found.coverage < _COMPLETE
    share = f" ({fmt.percent(found.coverage)})" if fmt.known(found.coverage) else ""
    told = (
        f"{fmt.span(found.seconds)} of the last {fmt.span(wanted)}{share}"
        if partial
        else f"the last {fmt.span(wanted)}"
    )
    left = [join([part("recorded ", DIM), part(told, WARN if partial else PLAIN)])]
    left += _gpus(found)
    subjects = page.subjects if page else ()
    here = next((n for n, each in enumerate(subjects, 1) if subject_key(each) == subject_key(found)), 0)
    turn = join([part("← ", BOLD), part(f"{here} of {len(subjects)}", DIM), part(" →", BOLD)], 1)
    return one_line(width, left, [turn] if len(subjects) > 1 else [])


def _whole(gpus: float) -> str:
    """Return how many GPUs, in tenths where a share of one is meant."""
    return f"{gpus:.1f}".removesuffix(".0") if gpus >= 0.05 else fmt.count(gpus)


def _gpus(found: WhatIf) -> list[Part]:
    parts = []
    if fmt.known(found.gpus) and found.gpus > 0:
        name = cut(cells(found.gpu_name.removeprefix("NVIDIA ")), _GPU_CELLS)
        link = "GPUs of" if found.gpu_name == SEVERAL_KINDS else "x"
        inks = [part("on ", DIM), part(f"{_whole(found.gpus)} {link} {name}".rstrip())]
        if fmt.known(found.gpu_usd_per_hour):
            inks.append(part(f" at {fmt.money(found.gpu_usd_per_hour)}/h", DIM))
        parts.append(join(inks, 3))
    if fmt.known(found.capacity_tokens_per_second):
        name = "" if parts else cut(cells(f"{found.gpu_name.removeprefix('NVIDIA ')} "), _GPU_CELLS)
        most = fmt.count(found.capacity_tokens_per_second)
        inks = [part(f"one {name}can serve ", DIM), part(most), part(" tok/s", DIM)]
        parts.append(join(inks, 4))
    return parts
