"""What a desk draws of a view, as text."""

from tests.tui import sample
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.widgets.cells import FILL

SIZES = ((80, 24), (140, 40), (200, 60), (20, 5))


def desk(view=sample.RICH, size=(80, 24), **look) -> Desk:
    made = Desk(PlayFeed(view), Look(**look))
    made.paint(*size)
    return made


def lines(made: Desk, width: int = 80, height: int = 24) -> list[str]:
    return [row.text.replace(FILL, "") for row in made.paint(width, height)]


def text(made: Desk, width: int = 80, height: int = 24) -> str:
    return "\n".join(lines(made, width, height))
