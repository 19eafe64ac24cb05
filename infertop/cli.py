"""The command line: what may be written after `infertop`, and which command answers it.

Exit status: 0 good, 1 it failed while running, 2 wrong use or configuration, 3 a budget is over (with --budget-exit).
stdout is for output; everything else goes to stderr or the log file.
"""

from __future__ import annotations

import argparse
import errno
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TextIO

from infertop import __version__

EPILOG = """\
exit status: 0 good, 1 it failed while running, 2 wrong use or configuration, 3 a budget is over (--budget-exit)
examples:
  infertop                                        the screen, over what it finds on this machine
  infertop --source vllm=http://10.0.0.5:8000     and an engine that it cannot find by itself
  infertop --once --json | jq .usd_per_hour       one reading for a script
  infertop record --for 3600                      collect for an hour without a screen
  infertop report --by model --since today        what it cost
"""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} must be a number above 0")
    return value


def _interval(text: str) -> float:
    value = _positive(text)
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0.1 and 3600 seconds")
    return value


def _shared(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """Add the options that every command takes; below the top they leave alone what stood before the command."""
    unset = None if top else argparse.SUPPRESS
    off = False if top else argparse.SUPPRESS
    add = parser.add_argument
    add("--pricing", type=Path, metavar="PATH", default=unset, help="the pricing.toml to use")
    add("--db", type=Path, metavar="PATH", default=unset, help="the database (default: in the user's data folder)")
    add("--db-limit", metavar="SIZE", default=unset, help="drop the oldest readings beyond this size (default 1G)")
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="infertop",
        description="htop for what inference costs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"infertop {__version__}")
    parser.add_argument("--demo", action="store_true", help="the screen over a bundled recording of real traffic")
    parser.add_argument("--once", action="store_true", help="one reading, then exit")
    parser.add_argument("--json", action="store_true", help="with --once: as JSON (see infertop schema)")
    _shared(parser, top=True)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        _shared(added, top=False)
        return added

    record = command("record", "collect without a screen")
    record.add_argument("--for", dest="seconds", type=_positive, metavar="SECONDS", help="stop after this long")
    report = command("report", "the ledger, summed")
    report.add_argument("--by", default="model", metavar="KEY[,KEY]", help="group by (default: model)")
    report.add_argument("--since", default="24h", help="90m, 24h, 7d, today, month, or a date (default: 24h)")
    report.add_argument("--until", default="now", help="as --since (default: now)")
    report.add_argument("--format", choices=("table", "json", "csv"), default="table")
    report.add_argument("--budget-exit", action="store_true", help="exit with status 3 where a budget is over")
    check = command("check", "the configuration and every source, one line each with what to do")
    check.add_argument("--kinds", action="store_true", help="list every kind of source that can be read")
    command("schema", "the JSON Schema of --once --json")
    return parser


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _command(options: argparse.Namespace) -> str:
    if options.command:
        return str(options.command)
    return "once" if options.once else "screen"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if sys.stdout is None:  # closed by whoever started us: the exit status is all that is wanted
        sys.stdout = _nowhere()
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.json and not options.once:
        parser.error("--json goes with --once")
    if options.demo and options.command:
        parser.error(f"--demo goes with the screen and with --once, not with {options.command}")
    # Modules are no garbage: looking for some while they load takes an eighth of the time until the screen is painted.
    gc.disable()
    try:
        run: Callable[[argparse.Namespace], int] = import_module(f"infertop.commands.{_command(options)}").run
        if _command(options) != "screen":  # which goes on loading, and ends this itself once it is painted
            gc.enable()
        status = run(options)
        sys.stdout.flush()  # a full disk shows here, and not where the interpreter ends
        return status
    except BrokenPipeError:
        # Whoever read our output has gone (infertop report | head): nothing is wrong, and nothing more can be said.
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        sys.stdout = _nowhere()  # what the other still holds cannot be written either
        print(f"infertop: the output could not be written: {os.strerror(error.errno).lower()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
