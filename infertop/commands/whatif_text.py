"""The what-if page as text for a person, 80 columns wide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from infertop.commands.wrapping import wrapped
from infertop.readings.safe import safe
from infertop.views.once import timestamp
from infertop.views.whatif_shapes import Alternative, BreakEven, Saving, Scale, WhatIf, WhatIfPage
from infertop.views.whatif_words import count, usd

WIDTH = 80
_NAME = 38
_MOST_ROWS = 24
_NOW = "now: "


def as_text(page: WhatIfPage, *, every: bool = False) -> str:
    """Return the page; without `every` no more than about 20 alternatives of a subject. Unknown is "-"."""
    coverage = next((each.coverage for each in page.subjects if each.coverage is not None), None)
    recorded = "nothing" if not coverage else f"{coverage:.1%}"
    lines = [f"{timestamp(page.since)} to {timestamp(page.until)}, {recorded} of it recorded"]
    for notice in page.notices:
        lines += _wrapped(notice)
    shared = _shared(page.subjects)
    for each in page.subjects:
        lines += ["", *_subject(each, every, shared)]
    if shared:
        lines += ["", *(line for sentence in shared for line in _wrapped(sentence))]
    return "\n".join(lines) + "\n"


def _shared(subjects: Sequence[WhatIf]) -> tuple[str, ...]:
    """Return the sentences that every subject has, where there is more than one: they are said once."""
    if len(subjects) < 2:
        return ()
    common = frozenset.intersection(*(frozenset(each.explained) for each in subjects))
    return tuple(each for each in subjects[0].explained if each in common)


def _subject(each: WhatIf, every: bool, shared: Collection[str]) -> Iterator[str]:
    name = "everything together" if each.model == each.source else f"{each.model} on {each.source}"
    yield safe(name, WIDTH).upper() if each.model == each.source else safe(name, WIDTH)
    yield from _wrapped(_measured(each))
    if len(each.alternatives) > 1:
        yield ""
        yield from _alternatives(each.alternatives, every)
    if each.break_even:
        yield ""
        yield from _break_even(each.break_even)
    if each.scale:
        yield ""
        yield from _scale(each.scale)
    if each.savings:
        yield ""
        yield from _savings(each.savings)
    own = [*(sentence for sentence in each.explained if sentence not in shared), *_more(each)]
    if own:
        yield ""
    for sentence in own:
        yield from _wrapped(sentence)


def _more(each: WhatIf) -> Iterator[str]:
    if each.more:
        yield f"{each.more:,} more models are listed: --all, or --to PATTERN"


def _measured(each: WhatIf) -> str:
    tokens = ", ".join(f"{count(amount)} {name}" for name, amount in each.tokens.items()) or "no tokens"
    requests = "requests not known" if each.requests is None else f"{count(each.requests)} requests"
    held = "" if each.gpus is None else f"; {each.gpus:.2f} GPUs ({each.gpu_name or 'no name'})"
    cost = "cost not known" if each.usd_per_hour is None else f"{usd(each.usd_per_hour)} an hour, {each.basis or '-'}"
    return f"{requests}, {tokens}{held}; {cost}"


def _alternatives(rows: Sequence[Alternative], every: bool) -> Iterator[str]:
    shown = rows if every else rows[:_MOST_ROWS]
    notes: dict[str, int] = {}
    title = ["MODEL", "$/H", "X NOW", "$/REQ", "$/1M", ""]
    table = [title, *(_row(row, notes) for row in shown)]
    yield from _aligned(table)
    if len(shown) < len(rows):
        yield f"{len(rows) - len(shown):,} more: --all"
    for note, mark in notes.items():
        yield from _wrapped(f"{mark} {note}", indent="   ")


def _row(row: Alternative, notes: dict[str, int]) -> list[str]:
    """Return the cells of a row; its notes and its price's source get numbers, for they are the same for many."""
    name = f"{row.provider}/{row.model}" if row.provider else row.model
    source = f"price: {row.price_source}{f', since {row.since}' if row.since else ''}" if row.price_source else ""
    marks = [str(notes.setdefault(note, len(notes) + 1)) for note in (source, *row.notes) if note]
    return [
        safe(f"{_NOW if row.current else ''}{name}", _NAME),
        _usd(row.usd_per_hour),
        "-" if row.ratio is None else f"{row.ratio:.3g}" if row.ratio < 100 else f"{row.ratio:,.0f}",
        _usd(row.usd_per_request),
        _usd(row.usd_per_million_tokens),
        f"[{','.join(marks)}]" if marks else "",
    ]


def _break_even(rows: Sequence[BreakEven]) -> Iterator[str]:
    yield "own GPUs are cheaper"
    for row in rows:
        price = _usd(row.api_usd_per_million_tokens)
        yield from _wrapped(f"than {row.against} ({price}/1M): {row.sentence.removeprefix('cheaper ')}", indent="    ")


def _scale(rows: Sequence[Scale]) -> Iterator[str]:
    api = "SHADOW" if rows[0].shadow else "API"
    title = ["TRAFFIC", "TOKENS/S", f"{api} $/H", "GPUS", "OWN $/H", ""]
    table = [
        [
            f"{row.factor:g}x",
            "-" if row.tokens_per_second is None else count(row.tokens_per_second),
            _usd(row.api_usd_per_hour),
            "-" if row.own_gpus is None else f"{row.own_gpus:,}",
            _usd(row.own_usd_per_hour),
            "" if row.own_gpus is None else row.note,
        ]
        for row in rows
    ]
    yield from _aligned([title, *table])
    if rows[0].api_model:
        whose = "the price that you set for it, which is no cost" if rows[0].shadow else rows[0].api_model
        yield from _wrapped(f"{api}: {whose}")
    if rows[0].own_gpus is None and rows[0].note:
        yield from _wrapped(rows[0].note)


def _savings(rows: Sequence[Saving]) -> Iterator[str]:
    for row in rows:
        worth = "-" if row.usd_per_hour is None else f"{usd(row.usd_per_hour)}/h"
        yield from _wrapped(f"{row.name}: {worth}, {row.sentence}", indent="    ")


def _usd(amount: float | None) -> str:
    return "-" if amount is None else usd(amount).removeprefix("$")


def _aligned(table: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    last = len(widths) - 1
    for row in table:
        cells = [
            cell.ljust(width) if n in (0, last) else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return wrapped(text, WIDTH, indent=indent, most=512)
