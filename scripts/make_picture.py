"""Make the README's pictures from the real program, as an SVG without fonts from elsewhere.

usage: make_picture.py docs/overview.svg [COLUMNSxROWS [KEY...]]
       make_picture.py docs/incident.svg COLUMNSxROWS --story TIME [KEY...]

They are of the demo, or of the benchmarks' day with a story replayed at TIME (real traffic, faults of ours).
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import story
from infertop.commands.live import LiveFeed
from infertop.commands.replay import played_of
from infertop.commands.replay_feed import ReplayFeed
from infertop.commands.setup import setup
from infertop.options import parser
from tui.app import InfertopApp
from tui.look import Look
from tui.themes import Shades

SETTLED_SECONDS = 12.0
# What was usual before the story is learnt by then.
LEARNT_SECONDS = 60.0
# A page that is made in a thread is there by then.
PRESSED_SECONDS = 2.0
STORY_DAYS = 4


def demo_feed() -> LiveFeed:
    return LiveFeed(setup(parser().parse_args(["--demo"])))


def story_feed(folder: Path, at: str) -> LiveFeed:
    story.write(folder / "story.db", STORY_DAYS)
    (folder / "story.toml").write_text(story.PRICING)
    words = ["replay", str(folder / "story.db"), "--pricing", str(folder / "story.toml"), "--at", at]
    options = parser(words).parse_args(words)
    ready = setup(options)
    played = played_of(ready, options)
    if isinstance(played, int):
        raise SystemExit(played)
    return ReplayFeed(ready, played)


async def picture(feed: LiveFeed, title: str, settled: float, columns: int, rows: int, keys: tuple[str, ...]) -> str:
    app = InfertopApp(feed, Look(Shades.COLOUR, ascii=False))
    async with app.run_test(size=(columns, rows)) as pilot:
        await pilot.pause(settled)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(PRESSED_SECONDS)
        svg = app.export_screenshot(title=title)
        await app.feed.stop()
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("<text ", '<text xml:space="preserve" ')
    return svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


def main(target: str, size: str = "120x40", *keys: str) -> None:
    columns, rows = (int(each) for each in size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        if keys[:1] == ("--story",):
            shown = story_feed(Path(folder), keys[1]), "infertop replay", LEARNT_SECONDS, columns, rows, keys[2:]
        else:
            shown = demo_feed(), "infertop --demo", SETTLED_SECONDS, columns, rows, keys
        svg = asyncio.run(picture(*shown))
    Path(target).write_text(svg)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
