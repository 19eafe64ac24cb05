"""A reader with a calculator: works out every line of arithmetic in an explanation and holds it against its result."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

from infertop.views.shapes import Explained

_ARITHMETIC = re.compile(r"[\d .+\-x/()]*\d[\d .+\-x/()]*")
_UNIT = re.compile(r" (?:USD/h|USD|hours from now|/s)?(?:[;,:].*)?$|/s(?:[;,:].*)?$|(?<=\d)[;,:] .*$")
_OPERATIONS = {ast.Add: "__add__", ast.Sub: "__sub__", ast.Mult: "__mul__", ast.Div: "__truediv__"}


def work_out(text: str) -> Fraction:
    """What a calculator says of digits, + - x / and brackets."""
    return _value(ast.parse(text.replace("x", "*").strip(), mode="eval").body, text)


def _value(node: ast.expr, text: str) -> Fraction:
    if isinstance(node, ast.Constant):
        # As written: a float would round.
        return Fraction(text.replace("x", "*").strip()[node.col_offset : node.end_col_offset])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, text)
    assert isinstance(node, ast.BinOp), text
    one, other = _value(node.left, text), _value(node.right, text)
    made: Fraction = getattr(one, _OPERATIONS[type(node.op)])(other)
    return made


def equations(lines: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of (arithmetic, result) that stand beside each other with " = " between."""
    found = []
    for line in lines:
        parts = [_UNIT.sub("", part).strip() for part in re.split(r"(?:^| )= ", line)]
        for left, right in pairwise(parts):
            if _ARITHMETIC.fullmatch(left) and _ARITHMETIC.fullmatch(right):
                found.append((left, right))
    return found


def is_rounded(exact: Fraction, shown: str) -> bool:
    """Whether a shown result is the exact one, rounded to its last digit."""
    digits = len(shown.partition(".")[2])
    # Results have four decimals at least, of which zeros at the end are not written.
    return abs(exact - Fraction(shown)) <= Fraction(501, 1000 * 10 ** max(digits, 4))


def check(said: Explained) -> int:
    """Hold every line of arithmetic of an explanation against its result, and return how many there were."""
    pairs = equations(said.lines)
    for left, right in pairs:
        assert is_rounded(work_out(left), right), (left, right, float(work_out(left)), said)
    return len(pairs)
