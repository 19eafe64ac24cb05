"""What units cost on the average, before and after."""

from __future__ import annotations

from collections.abc import Sequence

from infertop.money.lines import NANO
from infertop.money.why.cells import Amount, Cell, Part
from infertop.money.why.factors import CALLS
from infertop.readings.registry import TOKEN_CLASSES

USD_PER_MILLION, USD_PER_CALL = "usd/1M tokens", "usd/call"
_MILLION = 1e6


def price_of(cells: Sequence[Cell], resource: str) -> tuple[float | None, float | None, str]:
    """Return the mean price of a class or call unit before and after, and its unit."""
    of = []
    is_call = False
    for at in (0, 1):
        quantity = nano = 0.0
        for cell in cells:
            side = cell.sides[at]
            for part, each in side.parts.items():
                if part.resource == resource and each.nano:
                    quantity += each.quantity
                    nano += each.nano
                    is_call = part.factor == CALLS
            if resource == "requests":
                is_call = True
                quantity += sum(each.quantity for each in side.requests.values() if each.nano)
                nano += sum(each.nano for each in side.requests.values())
        of.append(quotient(nano / NANO * (1 if is_call else _MILLION), quantity))
    return of[0], of[1], USD_PER_CALL if is_call else USD_PER_MILLION


def mean_price(cells: Sequence[Cell]) -> tuple[float | None, float | None]:
    """Return the mean price of all tokens, of the same basket before and after: the mean of both."""
    sides: list[dict[tuple[int, Part], Amount]] = [{}, {}]
    for number, cell in enumerate(cells):
        for at in (0, 1):
            priced = {
                (number, part): each for part, each in cell.sides[at].parts.items() if each.nano and each.quantity
            }
            sides[at] |= {key: each for key, each in priced.items() if key[1].resource in TOKEN_CLASSES}
    both = sides[0].keys() & sides[1].keys()
    basket = {key: (sides[0][key].quantity + sides[1][key].quantity) / 2 for key in both}
    usd = [sum(side[key].nano / side[key].quantity * basket[key] for key in both) / NANO for side in sides]
    before, after = (quotient(each * _MILLION, sum(basket.values())) for each in usd)
    return before, after


def quotient(amount: float, of: float) -> float | None:
    """Return `amount / of`, None where that is none."""
    return amount / of if of else None
