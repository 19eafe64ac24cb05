"""`infertop replay`: the screen over history."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from infertop.commands.live import wants_color
from infertop.commands.setup import Setup, complain, setup_or_status
from infertop.history.connect import uri
from infertop.history.files import is_written
from infertop.history.reader import Unreadable
from infertop.readings.safe import safe

if TYPE_CHECKING:
    from infertop.commands.replay_session import Played


def run(options: Namespace) -> int:
    """Show a recording until the person leaves; status 2 for a wrong option, 1 where there is nothing to show."""
    ready = setup_or_status(options)
    if isinstance(ready, int):
        return ready
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        return complain(["a replay needs a terminal to read keys from; infertop report sums up in text"])
    played = played_of(ready, options)
    return played if isinstance(played, int) else _show(ready, played, options)


def played_of(ready: Setup, options: Namespace) -> Played | int:
    """Return what is to be replayed, or the exit status of why it cannot be."""
    path = Path(options.file).expanduser() if options.file else ready.database
    # What is configured is neither read nor looked for, and no key of it is touched.
    ready = replace(ready, database=path, options=(), discover=False)
    from infertop.commands.choosing import choices_for
    from infertop.commands.replay_past import MALFORMED, read_annals
    from infertop.commands.replay_session import Played
    from infertop.commands.replay_story import is_watched
    from infertop.commands.replay_words import begins_at
    from infertop.history.replay import Player

    try:
        where = _where(ready.database, given=bool(options.file))
        player = Player(where)
        annals = player.reader.ask(read_annals)
        choices = player.reader.ask(choices_for(ready))
        detect = options.detect or not player.reader.ask(is_watched)
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    except MALFORMED as error:
        what = f"{type(error).__name__} while it was read"
        print(f"infertop: {safe(path)} is damaged, or no history of this program ({what})", file=sys.stderr)
        return 1
    if annals is None:
        print(f"infertop: nothing was recorded in {safe(ready.database)}; infertop record does that", file=sys.stderr)
        return 1
    try:
        at = begins_at(options.at, annals.recorded, ready.watcher.current.settings.zone)
    except (ValueError, OverflowError) as error:
        return complain([f"--at: {error}"])
    return Played(ready.database, where, player, annals, choices, at, options.speed, detect)


def _where(path: Path, *, given: bool) -> str:
    """Return how to open a database; one that nobody writes is taken as it is, and no file comes to be beside it."""
    if not path.is_file():
        raise Unreadable(f"there is no history at {safe(path)}; infertop record makes one")
    log = path.with_name(f"{path.name}-wal")
    still = given and not is_written(path) and not (log.exists() and log.stat().st_size)
    return uri(path).replace("mode=ro", "immutable=1") if still else uri(path)


def _show(ready: Setup, played: Played, options: Namespace) -> int:
    from infertop.commands.replay_feed import ReplayFeed
    from tui.app import run as show

    color = wants_color(options, dict(os.environ))
    return show(ReplayFeed(ready, played), mouse=not options.no_mouse, color=color)
