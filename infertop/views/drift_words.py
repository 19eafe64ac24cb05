"""Why a provider's bills are not what was computed: the usual causes, as far as the figures show them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from infertop.readings.safe import safe
from infertop.views.account_shapes import DayRow
from infertop.views.wording import number, usd

_MOST_ROWS = 3
_LEAST_DAYS = 3
_LEAST_USD = 0.01
_SAME = 0.01
_LEAST_RATIO = 0.01


def causes(
    days: Iterable[DayRow], provider: str, leaves_out: Sequence[tuple[str, str]] = (), unpriced: int = 0
) -> list[str]:
    """Return a sentence for each cause that shows in the settled days, the plainest first."""
    settled = [each for each in days if each.settled]
    said = [*_unmatched(settled), *_left_out(settled, leaves_out)]
    if unpriced:
        said.append(f"{unpriced:,} tokens of this month have no price here, but one on the bill: infertop prices MODEL")
        return said
    factor = _factor(settled)
    if factor is not None:
        share = number(abs(1 - factor) * 100, 1)
        off = f"{share} % {'below' if factor < 1 else 'above'} what was computed on every day"
        said.append(
            f"billed {off}: a negotiated rate, if there is one; "
            f'[provider."{safe(provider, 40)}"] factor = {number(factor, 3)} in pricing.toml lets it be known sooner'
        )
    elif (rest := _rest(settled)) is not None:
        said.append(rest)
    return said


def _unmatched(days: Sequence[DayRow]) -> Iterator[str]:
    rows: dict[str, float] = defaultdict(float)
    for day in days:
        for text, spent in day.rows:
            rows[text] += spent
    dear = sorted(((text, spent) for text, spent in rows.items() if spent > 0), key=lambda each: -each[1])
    if dear:
        listed = ", ".join(f"{safe(text, 60)} {usd(spent, 2)}" for text, spent in dear[:_MOST_ROWS])
        more = f" and {len(dear) - _MOST_ROWS} more" if len(dear) > _MOST_ROWS else ""
        yield f"billed, and in no usage that it tells: {listed}{more}"
    if credits := sum(spent for spent in rows.values() if spent < 0):
        yield f"credits of {usd(-credits, 2)} are on the bills"


def _left_out(days: Sequence[DayRow], leaves_out: Sequence[tuple[str, str]]) -> Iterator[str]:
    spent = sum(day.left_out_usd for day in days)
    if spent >= _LEAST_USD and leaves_out:
        what = ", ".join(f"{name} {value}" for name, value in leaves_out)
        yield f"{usd(spent, 2)} of use is never in its cost API ({safe(what, 80)}): it stays as computed"


def _matched(day: DayRow) -> float:
    return day.billed_usd - day.unmatched_usd


def _factor(days: Sequence[DayRow]) -> float | None:
    """Return by what all days were billed alike, None where they were not, or as computed."""
    ratios = [_matched(day) / day.computed_usd for day in days if day.computed_usd >= _LEAST_USD]
    if len(ratios) < _LEAST_DAYS:
        return None
    middle = statistics.median(ratios)
    alike = middle > 0 and all(abs(each / middle - 1) <= _SAME for each in ratios)
    return middle if alike and abs(middle - 1) > _LEAST_RATIO else None


def _rest(days: Sequence[DayRow]) -> str | None:
    computed = sum(day.computed_usd for day in days)
    left = sum(_matched(day) - day.computed_usd for day in days)
    if abs(left) < max(_LEAST_USD, _LEAST_RATIO * computed):
        return None
    if left < 0:
        return f"{usd(-left, 2)} less was billed than computed: free quotas, credits or cheaper tiers that usage hides"
    return f"{usd(left, 2)} more was billed than computed: dearer tiers, or prices that changed since the list was made"
