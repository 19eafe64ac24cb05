"""What a value of pricing.toml may be. Each check returns the value as the settings hold it, or raises `Wrong`."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, time
from decimal import Decimal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from infertop.money.schema import Check, Wrong, nearest

MOST = Decimal("1e12")
# Money is kept in 1e-9 USD, so that less than this is nothing.
LEAST = Decimal("1e-9")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_TEXT_LIMIT = 512
# Whom ssh is asked for; engine/ssh_target.py reads it, and says why no more than this may stand there.
_SSH = re.compile(r"ssh://(?:[\w.][\w.+-]*@)?(?:\[[0-9A-Fa-f:.]+\]|[\w.][\w.-]*)(?::\d{1,5})?/?", re.ASCII)
# In every time zone such a day has a time that can be shown.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


def number(
    *, above: Decimal | None = None, least: Decimal | None = None, most: Decimal = MOST, note: str = ""
) -> Check:
    """Return a check for a number above `above` or from `least`, up to `most`, as Decimal of 28 digits."""
    rule = f"must be a number above {above}" if above is not None else f"must be a number of at least {least}"
    if most != MOST:
        rule += f" and at most {most}"
    rule += note

    def check(value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Wrong(f"{rule}, without quotes" if isinstance(value, str) else rule)
        amount = +Decimal(value)
        if not amount.is_finite() or (above is not None and amount <= above) or (least is not None and amount < least):
            raise Wrong(rule)
        if amount > most:
            raise Wrong(rule if most != MOST else f"must be a number of at most {MOST:f}")
        if 0 < amount < LEAST:
            raise Wrong(f"must be a number of at least {LEAST:f}")
        return amount

    return check


def whole(most: int, of: str = "") -> Check:
    """Return a check for a whole number from 1 to `most`; `of` says what it counts."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise Wrong(f"must be a whole number{of and f' of {of}'} from 1 to {most}")
        return value

    return check


def text(value: object) -> str:
    """Check for a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("must be a text in quotes")
    if len(value) > _TEXT_LIMIT:
        raise Wrong(f"must have at most {_TEXT_LIMIT} characters")
    return value


def flag(value: object) -> bool:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise Wrong("must be true or false")
    return value


def choice(allowed: Collection[str]) -> Check:
    """Return a check for one of a few words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            hint = nearest(value, allowed) if isinstance(value, str) else ""
            raise Wrong(f"must be one of {', '.join(allowed)}{hint}")
        return value

    return check


def list_of(each: Check, *, most: int = 1000) -> Check:
    """Return a check for an array of things that pass `each`, as a tuple."""

    def check(value: object) -> tuple[object, ...]:
        if not isinstance(value, list) or not value or len(value) > most:
            raise Wrong(f"must be a list in brackets of 1 to {most} values")
        checked, wrongs = [], []
        for index, item in enumerate(value):
            try:
                checked.append(each(item))
            except Wrong as wrong:
                wrongs += [Wrong(one.text, (index, *one.at)) for one in (wrong, *wrong.others)]
        if wrongs:
            raise Wrong(wrongs[0].text, wrongs[0].at, wrongs[1:])
        return tuple(checked)

    return check


def day(value: object) -> date:
    """Check for a TOML date."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise Wrong("must be a date without quotes and without a time, like 2026-11-01")
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise Wrong(f"must be a date from {_FIRST_YEAR} to {_LAST_YEAR}")
    return value


def clock(value: object) -> int:
    """Check for a time of day, "22:00"; return minutes since midnight, "24:00" being 0."""
    if isinstance(value, time):
        return value.hour * 60 + value.minute
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[1] == "24" and match[2] != "00"):
        raise Wrong('must be a time of day like "22:00"')
    return int(match[1]) % 24 * 60 + int(match[2])


def zone(value: object) -> ZoneInfo:
    """Check for the name of a time zone."""
    if not isinstance(value, str):
        raise Wrong('must be the name of a time zone in quotes, like "Europe/Berlin"')
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(f'must be the name of a time zone, like "Europe/Berlin"{_nearest_zone(value)}') from None


def _nearest_zone(name: str) -> str:
    by_word = {key.lower(): key for key in available_timezones()}
    by_word |= {key.rpartition("/")[2].lower(): key for key in sorted(by_word.values()) if "/" in key}
    close = nearest(name.replace(" ", "_"), by_word)
    word = close.partition('"')[2].partition('"')[0]
    return f'; did you mean "{by_word[word]}"?' if word else ""


def environment_variable(value: object) -> str:
    """Check for the name of an environment variable."""
    if not isinstance(value, str) or not _ENVIRONMENT.fullmatch(value):
        raise Wrong("must be the name of an environment variable, never the key itself")
    return value


def url(value: object) -> str:
    """Check for a base URL: http or https, a host, and nothing secret in it."""
    if not isinstance(value, str) or not value.isprintable() or " " in value or len(value) > _TEXT_LIMIT:
        raise Wrong('must be a URL like "http://10.0.0.5:8000"')
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises where it is not a number
    except ValueError:
        raise Wrong('must be a URL like "http://10.0.0.5:8000"') from None
    if parts.scheme == "ssh" and _SSH.fullmatch(value):
        return value
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Wrong('must be a URL like "http://10.0.0.5:8000"')
    if "@" in parts.netloc:
        raise Wrong("must not hold a user or a password: use key_env or key_file")
    if parts.query or parts.fragment:
        raise Wrong("must be the base alone, without ? and #; keys belong in key_env or key_file")
    return value
