"""What may be written after `infertop`: every command and its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from infertop import __version__
from infertop.readings.safe import safe

EPILOG = """\
exit status: 0 good, 1 it failed while running, 2 wrong use or configuration,
  3 a budget is over (--once and report with --budget-exit; 1: not known of one)
examples:
  infertop                                     what it finds on this machine
  infertop --source vllm=http://10.0.0.5:8000  and an engine that it cannot find
  infertop --once --json | jq .usd_per_hour    one reading for a script
  infertop record --for 3600                   collect an hour without a screen
  infertop report --by model --since today     what it cost
  infertop cost usage.jsonl | jq .usd          price usage records
  infertop prices gpt-4o                       a price, its source and its age
  infertop whatif --since 1h --scale 1,10,100  the same traffic elsewhere
  infertop estimate prompt.md --model gpt-4o --output-tokens 500
                                               what a prompt would cost
"""


def _positive(text: str) -> float:
    with suppress(ValueError):
        if 0 < (value := float(text)) < 1e9:
            return value
    raise argparse.ArgumentTypeError(f"{safe(text, 40)} must be a number above 0")


def _zone(text: str) -> object:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError("a time zone such as Europe/Berlin is needed") from None


def _count(text: str) -> int:
    with suppress(ValueError):
        if 0 <= (value := int(text)) <= 10**9:
            return value
    raise argparse.ArgumentTypeError(f"{safe(text, 40)} must be a whole number from 0 to 1000000000")


def _interval(text: str) -> float:
    value = _positive(text)
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0.1 and 3600 seconds")
    return value


def _shared(parser: argparse.ArgumentParser, *, top: bool, source: bool = True) -> None:
    """Add the options that every command takes; below the top they leave alone what stood before the command.

    A command whose own --source means something else takes the shared one before its name only.
    """
    unset = None if top else argparse.SUPPRESS
    off = False if top else argparse.SUPPRESS
    add = parser.add_argument
    add("--pricing", type=Path, metavar="PATH", default=unset, help="the pricing.toml to use")
    add("--db", type=Path, metavar="PATH", default=unset, help="the database (default: in the user's data folder)")
    text = "drop the oldest readings beyond so many bytes; K, M, G are 10^3, 10^6, 10^9 (default 1G, at least 10M)"
    add("--db-limit", metavar="SIZE", default=unset, help=text)
    if source:
        add(
            "--source",
            action="append",
            metavar="[NAME=]KIND=URL",
            default=unset,
            help="something to read besides what is found; may be given again",
        )
    add(
        "--no-discovery",
        action="store_true",
        default=off,
        help="look for no engines: read what is configured, and this machine",
    )
    add("--interval", type=_interval, metavar="SECONDS", default=unset, help="between two polls of local meters")
    add("--no-color", action="store_true", default=off, help="no colours (as with NO_COLOR set)")
    add("--no-mouse", action="store_true", default=off, help="leave the mouse to the terminal, for selecting text")


_BUDGET_EXIT = "exit with status 3 where a budget is over, 1 where it is unknown"
# The commands that have a --json of their own; without a command it goes with --once.
WITH_JSON = frozenset({"estimate", "prices", "whatif"})
COST_HELP = """\
Price usage records: one JSON line in, one JSON line out, in the same order.
What is no record becomes {"line": n, "error": "..."}, the rest goes on, and the
status is 1.

  {"id": "a", "provider": "openai", "model": "gpt-4o",
   "at": "2026-11-21T14:05:42Z",
   "tokens": {"input": 1500, "cache_read": 0, "output": 400},
   "batch": false, "service_tier": "flex", "calls": {"web_searches": 2}}

The classes of tokens are disjoint: output excludes reasoning, input excludes
caches. Instead of "tokens" a record may have "usage", the object as the
provider returned it: its nesting is undone, and figures that contradict each
other are an error that names both. Its shape is told by its keys and the
provider, or by "shape". "speed": "fast" is a service tier too.
"""
_HELP_LINES = argparse.RawDescriptionHelpFormatter


def parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the whole command line; only a command that `arguments` name has its options."""
    top = argparse.ArgumentParser(
        prog="infertop",
        description="htop for what inference costs.",
        epilog=EPILOG,
        formatter_class=_HELP_LINES,
    )
    top.add_argument("--version", action="version", version=f"infertop {__version__}")
    top.add_argument("--demo", action="store_true", help="the screen over a bundled recording of real traffic")
    top.add_argument("--once", action="store_true", help="one reading, then exit")
    top.add_argument("--json", action="store_true", help="with --once: as JSON (see infertop schema)")
    top.add_argument("--budget-exit", action="store_true", help=f"with --once or report: {_BUDGET_EXIT}")
    _shared(top, top=True)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, (text, add_own) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name in arguments:  # the first paint does not wait for the options of others
            _shared(command, top=False, source=name != "whatif")
            add_own(command)
    return top


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--for", dest="seconds", type=_positive, metavar="SECONDS", help="stop after this long")


def _speed(text: str) -> float:
    value = _positive(text)
    if not 0.1 <= value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0.1 and 10000")
    return value


def _add_replay(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="a database of infertop (default: the user's own); it is only read")
    text = "where to begin: 90m, 24h (counted from its end), today, a date or RFC 3339 (default: its last 24 hours)"
    add("--at", metavar="TIME", help=text)
    add("--detect", action="store_true", help="look for incidents anew, also where the recorder found some")
    add("--speed", type=_speed, default=1.0, metavar="N", help="times as fast: 1000 shows a day in 86 s (default: 1)")


def _add_report(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--by", default="model", metavar="KEY[,KEY]", help="group by (default: model)")
    add("--since", default="24h", help="90m, 24h, 7d, today, month, or a date (default: 24h)")
    add("--until", default="now", help="as --since (default: now)")
    add("--format", choices=("table", "json", "csv"), default="table")
    add("--budget-exit", action="store_true", default=argparse.SUPPRESS, help=_BUDGET_EXIT)


def _add_runs(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--since", default="7d", help="90m, 24h, 7d, today, month, or a date (default: 7d)")
    add("--until", default="now", help="as --since (default: now)")
    add("--format", choices=("table", "json", "csv"), default="table")
    add("--limit", type=_count, default=20, metavar="N", help="list the dearest N (default: 20)")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kinds", action="store_true", help="list every kind of source that can be read")


def _add_exporter(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--listen", metavar="HOST:PORT", default="127.0.0.1:9109", help="where (default: 127.0.0.1:9109)")
    add("--token-file", type=Path, metavar="FILE", help="ask for the bearer token in this file (mode 0600)")


def _add_nothing(parser: argparse.ArgumentParser) -> None:
    pass


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="as JSON, for scripts")


def _add_cost(parser: argparse.ArgumentParser) -> None:
    parser.description, parser.formatter_class = COST_HELP, _HELP_LINES
    parser.add_argument("files", nargs="+", metavar="FILE.jsonl", help="usage records, - for stdin")


def _add_estimate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="a prompt, - for stdin; each is one request")
    add("--model", action="append", required=True, metavar="NAME", help="may be given again, to compare")
    add("--provider", metavar="NAME", help="whose price (default: the model's own provider)")
    add("--output-tokens", type=_count, required=True, metavar="N", help="what each request generates")
    add("--download", action="store_true", help="download the vocabulary that a model needs, without asking")
    _json(parser)


def _add_prices(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("names", nargs="*", metavar="MODEL|GPU", help="a model or a GPU; without one, what the price book is")
    add("--provider", metavar="NAME", help="only this provider's prices")
    add("--at", metavar="TIME", default="now", help="the price at that time: a date or RFC 3339 (default: now)")
    add("--batch", action="store_true", help="in a batch")
    add("--tier", metavar="NAME", default="", help="in a service tier: flex, priority")
    add("--unpriced", action="store_true", help="the recorded models whose tokens lack a price")
    add("--since", default="30d", help="with --unpriced: how far back, as report's (default: 30d)")
    add("--refresh", action="store_true", help="make a newer book from an installed genai-prices")
    _json(parser)


def _add_whatif(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--since", default="1h", help="90m, 24h, 7d, today, month, or a date (default: 1h)")
    add("--until", default="now", help="as --since (default: now)")
    add("--model", metavar="PATTERN", help="only the traffic of these models")
    add("--source", dest="only_source", metavar="PATTERN", help="only the traffic of these sources")
    add("--to", action="append", metavar="PATTERN", help="models to compare with; may be given again")
    add("--gpu", metavar="NAME", help="the GPU to compare with")
    add("--tokens-per-second", type=_positive, metavar="N", help="tokens of all classes that one such GPU serves")
    add("--scale", default="1,10,100", metavar="N[,N]", help="times the traffic (default: 1,10,100)")
    add("--all", action="store_true", help="every priced model")
    _json(parser)


def _add_alert(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--test", action="store_true", help="send a test alert to the webhook and the command of [alert]")
    add("--dry-run", action="store_true", help="print what would be sent, in every format, and send nothing")
    add("--schema", action="store_true", help="print the JSON Schema of an alert")


def _add_backtest(parser: argparse.ArgumentParser) -> None:
    text = "the anomaly detector over a series: timestamp,value,score"
    kinds = parser.add_subparsers(dest="backtested", metavar="KIND", required=True)
    add = kinds.add_parser("anomalies", help=text, description=text).add_argument
    add("file", metavar="FILE.csv", help="timestamp,value lines, - for stdin; times without an offset are UTC")
    add("--events", action="store_true", help="the incidents instead of the points")
    add("--threshold", type=_positive, default=1.5, metavar="SCORE", help="how rare an incident is (default: 1.5)")
    zone = "(default: pricing.toml's, else UTC)"
    add("--timezone", type=_zone, metavar="NAME", help=f"whose hours and days a rhythm is of {zone}")
    text = "the end of each period as forecast in it: origin,end,spent,low,mid,high,truth"
    add = kinds.add_parser("forecast", help=text, description=text).add_argument
    add("file", metavar="FILE.csv", help="timestamp,value lines, - for stdin; a value is what its interval took")
    add("--period", choices=("day", "week", "month"), default="day", help="whose end is forecast (default: day)")
    add("--timezone", type=_zone, metavar="NAME", help=f"whose days and months {zone}")


_COMMANDS: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "record": ("collect without a screen", _add_record),
    "replay": ("the screen over history", _add_replay),
    "report": ("the ledger, summed", _add_report),
    "runs": ("what each session of an agent took and cost", _add_runs),
    "check": ("the configuration and every source, one line each with what to do", _add_check),
    "schema": ("the JSON Schema of --once --json", _add_nothing),
    "cost": ("price usage records, one JSON line each", _add_cost),
    "estimate": ("count the tokens of files and price them", _add_estimate),
    "prices": ("the price of a model or GPU, where it is from, how old it is", _add_prices),
    "whatif": ("the measured traffic on other models and hardware", _add_whatif),
    "backtest": ("what would have been said of a series, point by point", _add_backtest),
    "alert": ("tell those whom pricing.toml names that they can be told", _add_alert),
    "exporter": ("collect, and serve the figures as OpenMetrics", _add_exporter),
    "reader": ("this machine's GPUs as JSON lines, for an infertop that reads it over ssh", _add_nothing),
}
"""What each command is for, and the function that adds its own options."""
