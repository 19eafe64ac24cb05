"""Which names a model or provider answers to: the match clauses of the book, compiled.

A clause is a word whose first character says how it matches, a list of which any must match, or {"all": [...]}:
"=gpt-4o" is equal, "^gpt-4o" begins with, "$-mini" ends with, "*gpt-4o" contains, "~^o[134]" is a regular expression.
Names are matched in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

Matches = Callable[[str], bool]
LONGEST_PATTERN = 200
_DEEPEST = 4
# Nothing of what follows is in escapes and sets; a repeated group is tried without end, flags and comments hide things.
_LITERAL = re.compile(r"\\.|\[\^?\]?[^\]]*\]", re.DOTALL)
_REFUSED = re.compile(r"\)[*+{]|\(\?(?![:=!]|<[=!])")
_STEP = re.compile(r"[(|)*+]|(?<!\()\?|\{\d*,\d*\}")
# A name has 512 characters at most. What is optional, and one of several, takes the longer the more there are of it.
_REPEATED, _OPTIONAL, _ALTERNATIVE = 512, 4, 2
_MOST_TRIES = 512**3


def compiled(clause: Any, depth: int = 0) -> Matches:
    """Return the test of a clause; raises ValueError where it is none, or a pattern that could run away."""
    if isinstance(clause, str) and len(clause) > 1:
        return _word(clause[0], clause[1:])
    if depth < _DEEPEST and isinstance(clause, dict) and isinstance(parts := clause.get("all"), list) and parts:
        every = [compiled(each, depth + 1) for each in parts]
        return lambda name: all(matches(name) for matches in every)
    if depth < _DEEPEST and isinstance(clause, list) and clause:
        some = [compiled(each, depth + 1) for each in clause]
        return lambda name: any(matches(name) for matches in some)
    raise ValueError(f"{clause!r:.80} is no match clause")


def words(clause: Any) -> Iterator[str]:
    """Iterate over what a clause looks for in names, but for regular expressions."""
    if isinstance(clause, str):
        if not clause.startswith("~"):
            yield clause[1:]
        return
    for each in clause["all"] if isinstance(clause, dict) else clause:
        yield from words(each)


def _word(kind: str, word: str) -> Matches:
    if kind == "~":
        return _pattern(word)
    word = word.lower()
    if kind == "=":
        return word.__eq__
    if kind == "^":
        return lambda name: name.startswith(word)
    if kind == "$":
        return lambda name: name.endswith(word)
    if kind == "*":
        return lambda name: word in name
    raise ValueError(f"{kind + word!r:.80} is no match clause")


def _pattern(text: str) -> Matches:
    if len(text) > LONGEST_PATTERN or _tries(text) > _MOST_TRIES:
        raise ValueError(f"{text!r:.80} could take too long to match")
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r:.80} is no regular expression: {error}") from error
    return lambda name: pattern.search(name) is not None


def _tries(text: str) -> float:
    """Return in how many ways a pattern is tried on a name made for it: what stands in a row multiplies."""
    bare = _LITERAL.sub("x", text)
    if _REFUSED.search(bare):
        return inf
    others, here = 0, 1
    outer: list[tuple[int, int]] = []
    for step in _STEP.findall(bare):
        if step == "(":
            outer.append((others, here))
            others, here = 0, 1
        elif step == "|":
            others, here = others + here * _ALTERNATIVE, 1
        elif step == ")" and outer:
            inner = others + here
            others, here = outer.pop()
            here *= inner
        else:
            here *= _OPTIONAL if step == "?" else _REPEATED
    anchored = bare.startswith("^") and not others
    return (others + here) * (1 if anchored else _REPEATED)
