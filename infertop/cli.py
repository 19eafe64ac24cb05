"""The command line: which command answers what was written after `infertop`.

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
from types import TracebackType
from typing import TextIO

from infertop.options import WITH_JSON
from infertop.options import parser as _parser

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say on stderr what the interpreter would of a bug, without keys."""
    import traceback

    from infertop.readings.redact import redact

    print(redact("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)


def _command(options: argparse.Namespace) -> str:
    if options.command:
        return str(options.command)
    return "once" if options.once else "screen"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if sys.stdout is None:  # closed by whoever started us: the exit status is all that is wanted
        sys.stdout = _nowhere()
    if sys.stderr is None:  # print() would take stdout for it
        sys.stderr = _nowhere()
    sys.excepthook = _crashed
    written = sys.argv[1:] if arguments is None else arguments
    parser = _parser(written)
    options = parser.parse_args(written)
    if options.json and not options.once and options.command not in WITH_JSON:
        parser.error("--json goes with --once")
    if options.budget_exit and _command(options) not in ("once", "report"):
        parser.error("--budget-exit goes with --once and with report")
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
