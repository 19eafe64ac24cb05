"""Make the README's pictures from the real program: the demo, as an SVG without fonts from elsewhere.

usage: make_picture.py docs/overview.svg [COLUMNSxROWS [KEY...]]
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from infertop.commands.live import LiveFeed
from infertop.commands.setup import setup
from infertop.options import parser
from tui.app import InfertopApp
from tui.look import Look
from tui.themes import Shades

SETTLED_SECONDS = 12.0
# A page that is made in a thread is there by then.
PRESSED_SECONDS = 2.0


async def picture(columns: int, rows: int, keys: tuple[str, ...]) -> str:
    app = InfertopApp(LiveFeed(setup(parser().parse_args(["--demo"]))), Look(Shades.COLOUR, ascii=False))
    async with app.run_test(size=(columns, rows)) as pilot:
        await pilot.pause(SETTLED_SECONDS)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(PRESSED_SECONDS)
        svg = app.export_screenshot(title="infertop --demo")
        await app.feed.stop()
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("<text ", '<text xml:space="preserve" ')
    return svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


def main(target: str, size: str = "120x40", *keys: str) -> None:
    columns, rows = (int(each) for each in size.split("x"))
    Path(target).write_text(asyncio.run(picture(columns, rows, keys)))


if __name__ == "__main__":
    main(*sys.argv[1:])
