"""[alert]: what is marked, what is worth an alert, and who is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from infertop.money import checks
from infertop.money.schema import Key, Reader, Table, Wrong
from infertop.money.section_parts import ABOVE_0, FREE_OR_MORE
from infertop.money.settings import ALERT_FORMATS, Alert
from infertop.money.source_section import is_loopback

_URL_LIMIT = 2048
_WORDS_LIMIT = 64
_OSC: Mapping[object, tuple[int, ...]] = {9: (9,), 777: (777,), "both": (9, 777)}
_WEBHOOKS = ("webhook", "webhook_env", "webhook_file")


def _webhook(value: object) -> str:
    """Check for a URL that alerts may be sent to. It may be a secret: no message repeats it."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise Wrong('must be a URL in quotes, like "https://alerts.example.com/infertop"')
    if len(value) > _URL_LIMIT:
        raise Wrong(f"must have at most {_URL_LIMIT} characters")
    if sentence := wrong_webhook(value):
        raise Wrong(sentence)
    return value


def wrong_webhook(url: str) -> str:
    """Return what a webhook's URL must be and is not, without repeating it, or nothing."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "must be a URL like https://alerts.example.com/infertop"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or "\\" in url:
        return "must be a URL like https://alerts.example.com/infertop"
    if "@" in parts.netloc:
        return "must not hold a user or a password"
    if parts.fragment:
        return "must not have a # in it"
    if parts.scheme == "http" and not is_loopback(url):
        return "must be https, or http on this machine: what it costs is nobody else's business"
    return ""


def _file(value: object) -> str:
    path = checks.text(value)
    if "://" in str(path):
        raise Wrong("must be the path of a file that holds the URL, never the URL itself")
    return str(path)


def _command(value: object) -> tuple[object, ...]:
    """Check for a program with its arguments: no shell reads them."""
    if isinstance(value, str):
        raise Wrong('must be a list of words, because no shell reads it: ["notify.sh", "--urgent"]')
    return tuple(checks.list_of(checks.text, most=_WORDS_LIMIT)(value))


def _osc(value: object) -> tuple[int, ...]:
    if value is False:
        return ()
    if isinstance(value, int | str) and not isinstance(value, bool) and value in _OSC:
        return _OSC[value]
    raise Wrong('must be 9, 777, "both" or false')


_ALERT = {
    "request_usd": ABOVE_0,
    "sigma": Key(checks.number(above=Decimal(0), most=Decimal(100))),
    "floor_usd": FREE_OR_MORE,
    "ratio": Key(checks.number(above=Decimal(1), most=Decimal(1000))),
    "webhook": Key(_webhook),
    "webhook_env": Key(checks.environment_variable),
    "webhook_file": Key(_file),
    "format": Key(checks.choice(ALERT_FORMATS)),
    "command": Key(_command),
    "per_hour": Key(checks.whole(1000)),
    "bell": Key(checks.flag),
    "osc": Key(_osc),
}


def read_alert(reader: Reader, raw: object) -> Alert:
    """Read [alert]."""
    table = reader.table(raw, ("alert",), _ALERT)
    _one_webhook(reader, table)
    where = tuple((key, reader.where(("alert", key))) for key in (*_WEBHOOKS, "command") if key in table.values)
    return Alert(**table.values, where=where)


def _one_webhook(reader: Reader, table: Table) -> None:
    given = [key for key in _WEBHOOKS if key in table.values]
    for key in given[1:]:
        reader.wrong(("alert", key), f"stands beside alert.{given[0]}: keep one")
    if "format" in table.values and not given and not any(("alert", key) in reader.lines for key in _WEBHOOKS):
        reader.wrong(("alert", "format"), f"is of a webhook, and there is none: add one of {', '.join(_WEBHOOKS)}")
