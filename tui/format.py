"""Figures as text: at most 8 characters, `-` where unknown, the unit left to the heading.

Groups of three are set apart by a blank (2 930), small amounts lose their leading zero (.00041), and large ones end
in k, M, G or T with three digits. Times of day and dates are in `tui/moments.py`.
"""

from __future__ import annotations

import math
from typing import TypeGuard

UNKNOWN = "-"
_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BEYOND_SCALES = 999.5e12
_AGES = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))

Range = tuple[float | None, float | None, float | None]


def known(value: float | None) -> TypeGuard[float]:
    """Return whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def _scientific(value: float) -> str:
    digits = 1 if 1e-99 < abs(value) < 1e99 else 0
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _scaled(value: float) -> str:
    """Return three digits and a scale (123k, 1.23M), or a power of ten beyond T."""
    size = abs(value)
    if size >= _BEYOND_SCALES:
        return _scientific(value)
    scale, letter = next(pair for pair in _SCALES if size >= pair[0] * 0.9995 or pair[1] == "k")
    part = value / scale
    digits = 2 if abs(part) < 9.995 else 1 if abs(part) < 99.95 else 0
    return f"{part:.{digits}f}{letter}"


def _large(value: float, most: float) -> str:
    """Return whole units in groups of three below `most`, scaled from there."""
    return f"{value:,.0f}".replace(",", " ") if abs(value) < most - 0.5 else _scaled(value)


def _small(value: float, decimals: int = 0) -> str:
    """Return a size below 1 without its leading zero: two digits in at most six decimals, else a power of ten."""
    size = abs(value)
    if size < 0.0000095:
        return _scientific(value)
    least = min(6, 1 - math.floor(math.log10(size * 1.005)))
    decimals = max(decimals, least) if least > 5 else decimals or least
    return f"{value:.{decimals}f}".replace("0.", ".", 1)


def money(value: float | None) -> str:
    """Return USD: 4.98, 12.56, 4 118, 1.23M, .00041 below half a cent."""
    if not known(value):
        return UNKNOWN
    size = abs(value)
    if 0 < size < 0.005:
        return _small(value, 5)
    return f"{value + 0.0:.2f}" if size < 999.995 else _large(value, 1e5)


def unit_money(value: float | None) -> str:
    """Return USD for one request: five decimals below a dollar."""
    return _small(value, 5) if known(value) and 0 < abs(value) < 0.999995 else money(value)


def per_million(value: float | None) -> str:
    """Return USD per million tokens: three decimals below 10."""
    return f"{value:.3f}" if known(value) and 0.005 <= abs(value) < 9.9995 else money(value)


def rate(value: float | None) -> str:
    """Return something a second with two decimals below 100: 3.40, .0012, 12 345."""
    if not known(value):
        return UNKNOWN
    size = abs(value)
    if 0 < size < 0.0095:
        return _small(value)
    return f"{value + 0.0:.2f}" if size < 99.995 else _large(value, 1e5)


def count(value: float | None) -> str:
    """Return a number of things, or tokens a second: 0, 3.4, 523, 2 930, 46.9k, 1.23M."""
    if not known(value):
        return UNKNOWN
    size = abs(value)
    if 0 < size < 0.095:
        return _small(value)
    if size < 9.95 and not float(value).is_integer():
        return f"{value:.1f}"
    return _large(value + 0.0, 1e4)


def digits(value: float | None) -> str:
    """Return a number of things with all its digits below a million, so that two can be compared: 15 080."""
    return _large(value + 0.0, 1e6) if known(value) and abs(value) >= 9_999.5 else count(value)


def seconds(value: float | None) -> str:
    """Return seconds: .021, 0.15, 12.3, 4 000."""
    if not known(value):
        return UNKNOWN
    size = abs(value)
    if 0 < size < 0.0995:
        return _small(value)
    if size < 9.995:
        return f"{value + 0.0:.2f}"
    return f"{value:.1f}" if size < 99.95 else _large(value, 1e5)


def millis(value: float | None) -> str:
    """Return seconds as milliseconds: 0.42, 21.9, 480."""
    return seconds(value * 1000 if known(value) else None)


def _bound(text: str) -> str:
    """Return a bucket's bound as it was written: 0.3, 60."""
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def quantile(bounds: Range, *, in_millis: bool = False) -> str:
    """Return the value of (low, value, high), or `<0.3` and `>60` where its bucket is open."""
    low, value, high = bounds
    show = millis if in_millis else seconds
    if not known(low) and known(high):
        return f"<{_bound(show(high))}"
    if not known(high) and known(low):
        return f">{_bound(show(low))}"
    return show(value)


def bracket(bounds: Range, *, in_millis: bool = False) -> str:
    """Return `0.40 (0.25-0.50)`: a quantile with the bucket that it was read from."""
    low, value, high = bounds
    show = millis if in_millis else seconds
    text = quantile(bounds, in_millis=in_millis)
    return f"{text} ({_bound(show(low))}-{_bound(show(high))})" if known(low) and known(high) and known(value) else text


def scale(value: float) -> str:
    """Return a round number for a chart's scale: 0.5, 20, 8 000, 50k."""
    if known(value) and value >= 1e4:
        mantissa = _scaled(value)
        return f"{mantissa[:-1].rstrip('0').rstrip('.') if '.' in mantissa else mantissa[:-1]}{mantissa[-1]}"
    return money(value).removesuffix(".00")


def percent(ratio: float | None) -> str:
    """Return a ratio as `83 %`; `<1 %` is more than nothing."""
    if not known(ratio):
        return UNKNOWN
    if 0 < ratio < 0.00995:
        return "<1 %"
    return f"{_large(ratio * 100, 1e4)} %"


def times(ratio: float | None) -> str:
    """Return how many times something is: 0.24x, 1.00x, 12.3x, 4 118x, <0.01x."""
    if not known(ratio):
        return UNKNOWN
    size = abs(ratio)
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    if 0 < size < 0.00995:
        return "<0.01x" if ratio > 0 else ">-0.01x"
    return f"{ratio + 0.0:.{digits}f}x" if digits else f"{_large(ratio, 1e4)}x"


def gigabytes(used: float | None, total: float | None) -> str:
    """Return memory in use and in all as `71/80` GiB, each `-` where unknown."""
    if not known(used) and not known(total):
        return UNKNOWN
    parts = (_large(size / 2**30, 1e4) if known(size) else UNKNOWN for size in (used, total))
    return "/".join(parts)


def spread(forecast: Range) -> str:
    """Return a forecast as its middle and half its width: `6 240 ±310`."""
    low, mid, high = forecast
    if not known(mid):
        return UNKNOWN
    if not known(low) or not known(high) or high <= low:
        return money(mid)
    half = (high - low) / 2
    return f"{_large(mid, 1e5)} ±{_large(half, 1e5)}" if abs(mid) >= 100 else f"{money(mid)} ±{money(half)}"


def span(length: float | None) -> str:
    """Return a time span or an age: 0.4 s, 12 s, 3 min, 2 h, 5 d; whole units from twice a unit up."""
    if not known(length):
        return UNKNOWN
    for unit, name in _AGES:
        if abs(length) >= unit * 2 or (length and length % unit == 0):
            return f"{_large(length / unit, 1e5)} {name}"
    return f"{length:.0f} s" if abs(length) >= 2.95 or float(length).is_integer() else f"{length:.1f} s"
