"""`infertop`: the screen."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from dataclasses import replace

from infertop.commands.live import LiveFeed, wants_color
from infertop.commands.setup import complain, setup, setup_or_status


def run(options: Namespace) -> int:
    """Show the screen until the person leaves; a pipe gets one reading as text instead."""
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        if not sys.stdout.isatty():
            from infertop.commands.once import run as once

            print("infertop: no terminal here: one reading as text (infertop --once)", file=sys.stderr)
            return once(Namespace(**{**vars(options), "json": False}))
        return complain(["the screen needs a terminal to read keys from; try infertop --once"])
    ready = setup_or_status(options)
    if isinstance(ready, int):
        return ready
    from platformdirs import user_state_path

    from tui.app import DEMO_EXIT
    from tui.app import run as show

    look = {"mouse": not options.no_mouse, "color": wants_color(options, dict(os.environ))}
    memory = user_state_path("infertop", appauthor=False) / "screen.json"
    status = show(LiveFeed(ready), memory=memory, **look)
    if status == DEMO_EXIT:
        options.demo = True
        status = show(LiveFeed(replace(setup(options), demo=True)), memory=memory, **look)
    return status
