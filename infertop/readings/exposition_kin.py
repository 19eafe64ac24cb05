"""Shapes that targets have in common: replicas of one server have the same page but for its numbers.

Two hundred targets that each remembered a page of their own would hold 40 MB of line starts and read them from memory
at every poll; those that share one find it in the processor's cache, and their first pages cost a tenth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from weakref import ref

from infertop.readings.exposition_shape import Shape

_MOST = 256  # shapes of as many lines that are looked through
_MOST_LENGTHS = 1024

Wanted = frozenset[bytes] | None


class Kin:
    """The shapes in use, by what is wanted of their pages and by how many lines these have; none is kept alive here."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[Wanted, int], deque[ref[Shape]]] = {}

    def add(self, wanted: Wanted, shape: Shape) -> None:
        """Let others have a shape too."""
        if len(self._shapes) >= _MOST_LENGTHS:
            self._shapes.clear()
        self._shapes.setdefault((wanted, shape.lines), deque(maxlen=_MOST)).appendleft(ref(shape))

    def like(self, wanted: Wanted, lines: list[bytes]) -> Iterator[Shape]:
        """Yield shapes that may be that of a page; its values tell whether one is."""
        for each in tuple(self._shapes.get((wanted, len(lines)), ())):
            shape = each()
            if shape is not None and shape.may_fit(lines):
                yield shape
