"""What a desk draws of a what-if page, as text, and how a person types at it."""

from tests.tui import sample, sample_whatif
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.widgets.cells import FILL

SIZES = ((80, 24), (140, 40), (200, 60))


def desk(made=sample_whatif.PAGE, size=(80, 24), view=sample.RICH, every=None, **look) -> Desk:
    opened = Desk(PlayFeed(view), Look(**look))
    opened.feed.made, opened.feed.every = made, every or made
    opened.paint(*size)
    opened.whatif()
    opened.paint(*size)
    return opened


def lines(made: Desk, size=(80, 24)) -> list[str]:
    return [row.text.replace(FILL, "") for row in made.paint(*size)]


def text(made: Desk, size=(80, 24)) -> str:
    return "\n".join(lines(made, size))


def words(made: Desk, size=(80, 24)) -> str:
    return " ".join(text(made, size).split())


def type_in(made: Desk, text: str) -> None:
    made.filter()
    for letter in text:
        made.typed(letter, letter)


def here(made: Desk) -> str:
    return next(line for line in lines(made) if line.startswith("▌"))


def short(**more) -> Desk:
    """The page as it opens: the well-known models, all others at a."""
    return desk(sample_whatif.WELL_KNOWN, every=sample_whatif.PAGE, **more)
