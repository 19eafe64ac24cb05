"""What every place used around the beginning of something: the hour before it, and since then."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infertop.commands.watching_scope import MINUTE, Frontier, Rules
from infertop.history.figures import Flows
from infertop.history.reader import Reader
from infertop.money.detect.faults import BEFORE_SECONDS
from infertop.money.detect.scopes import LATENCIES, Flow, Place

# In the first half hour it is read anew each minute, then less often.
_SETTLED_SECONDS, _AGAIN_SECONDS = 1800, 600
_LATELY_SECONDS = 1800

Used = Mapping[Place, Flow]
Look = Callable[[str, float, float | None], tuple[Used, Used]]
"""Returns what places used in the hour before a moment, and since: up to another, or in the last half hour."""


class Around:
    """Reads that, and remembers it for a while: it is asked of many figures that began together."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows
        self._known: dict[tuple[int, int, bool], tuple[int, tuple[Used, Used]]] = {}

    def at(self, reader: Reader, newest: int, frontier: Frontier, rules: Rules) -> Look:
        """Return how to ask in the minute `newest`, of the places that are part of figures of several sources."""

        def look(metric: str, since: float, until: float | None) -> tuple[Used, Used]:
            begin, end = int(since), newest + MINUTE if until is None else int(until)
            key = begin, 0 if until is None else end, metric in LATENCIES
            known = self._known.get(key)
            settled = newest - begin >= _SETTLED_SECONDS
            if known is None or newest - known[0] >= (_AGAIN_SECONDS if settled else MINUTE):
                lately = max(begin, end - _LATELY_SECONDS) if until is None else begin
                spans = (begin - int(BEFORE_SECONDS), begin), (lately, end)
                one, two = (reader.ask(self._flows.between, *span, frontier.of_source, key[2]) for span in spans)
                self._known = {each: had for each, had in self._known.items() if newest - had[0] < _AGAIN_SECONDS}
                known = self._known[key] = newest, (one, two)
            before, after = ({place: flow for place, flow in each.items() if rules.has(place)} for each in known[1])
            return before, after

        return look
