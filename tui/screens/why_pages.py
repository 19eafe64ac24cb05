"""The pages that say why; what draws them is loaded when they are first shown, for the first paint does not wait."""

from __future__ import annotations

from dataclasses import dataclass

from infertop.views.shapes import Event, Overview
from tui.panels.events import event_key
from tui.scene import Scene
from tui.screens.page import Picture


@dataclass(slots=True)
class IncidentPage:
    """The page of an incident as it was last known: one that is no longer listed keeps it."""

    event: Event
    name: str = "incident"

    def look(self, view: Overview) -> Event:
        """Return the incident as `view` has it."""
        key = event_key(self.event)
        self.event = next((event for event in view.events if event_key(event) == key), self.event)
        return self.event

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Draw it."""
        from tui.screens.incident import draw

        return draw(self.event, scene, width, height)


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The page of key c."""

    name: str = "compare"

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Draw it."""
        from tui.screens.compare import draw

        return draw(scene, width, height)


COMPARE = ComparePage()
