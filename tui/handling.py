"""What is done with incidents: one is acknowledged, or said to be planned, and both are taken back by the same key."""

from __future__ import annotations

from infertop.views.event_shapes import ACKNOWLEDGED, OPEN, PLANNED, Event
from tui.incidents import INCIDENT, lasting
from tui.panels.events import EVENTS
from tui.turning import Turning


class Handling(Turning):
    """Tells the feed what the person says of an incident."""

    def acknowledge(self) -> None:
        """Acknowledge the incident under the cursor, or open it again."""
        self._say(ACKNOWLEDGED)

    def planned(self) -> None:
        """Say that the incident under the cursor was planned, or open it again."""
        self._say(PLANNED)

    def _say(self, state: str) -> None:
        event = self._incident()
        if event is None:
            self.choices.message = "the cursor is on no incident"
        elif not lasting(event):
            self.choices.message = "this incident has closed"
        else:
            self.choices.message = self.feed.acknowledge(event.key, OPEN if event.state == state else state)
            self.tick()

    def _incident(self) -> Event | None:
        """Return the incident whose page is open, else the one under the cursor."""
        if (opened := self.scene.incident) is not None:
            return opened
        found = EVENTS.find(self.scene, self.choices.cursor(EVENTS.name).key)
        return found if found is not None and found.kind == INCIDENT else None
