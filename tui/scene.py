"""All that a panel draws from: the view, what was chosen, and how this terminal looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infertop.views.event_shapes import Comparison, Course, Event
from infertop.views.shapes import Overview
from tui.choices import Choices
from tui.format import known, span
from tui.look import Look
from tui.moments import when
from tui.themes import ALARM, DIM, OK, PLAIN, WARN

if TYPE_CHECKING:
    from infertop.views.account_shapes import AccountsPage
    from infertop.views.page_shapes import GpuHistory
    from infertop.views.run_shapes import RunsPage
    from infertop.views.whatif_shapes import WhatIfPage

STATES = {
    "up": ("●", OK),
    "starting": ("◌", DIM),
    "stale": ("○", DIM),
    "down": ("×", ALARM),
    "auth": ("×", ALARM),
    "absent": ("×", DIM),
}
LEVELS = {"info": ("·", DIM), "warn": ("!", WARN), "alarm": ("!", ALARM)}
ESTIMATES = ("computed", "estimated")
_ESTIMATED = "~"


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment to draw. `whatif`, `runs` and `accounts` are there once their page was opened and made.

    `incident` is the one whose page is open, `comparison` what its page, or that of two windows, is about, `gpu` what
    the GPU under the cursor did, on the page of GPUs, `course` what cost over time what `comparison` is about.
    """

    view: Overview
    choices: Choices
    look: Look
    whatif: WhatIfPage | None = None
    runs: RunsPage | None = None
    accounts: AccountsPage | None = None
    incident: Event | None = None
    comparison: Comparison | None = None
    gpu: GpuHistory | None = None
    course: Course | None = None

    def when(self, ts: float | None) -> str:
        """Return a moment as text, in the view's time zone."""
        return when(ts, self.view.at, self.view.timezone)


def estimated(figure: str, basis: str) -> str:
    """Return a figure marked `~` where its basis is a computation and not a meter or a bill."""
    return f"{_ESTIMATED}{figure}" if basis in ESTIMATES and figure != "-" else figure


def named(name: str) -> str:
    """Return a name, quoted where it is blank, or begins with the mark of an estimate like "~openai/gpt-latest"."""
    return f'"{name}"' if name.startswith(_ESTIMATED) or name.isspace() else name


def aged(state: str, age_seconds: float | None) -> str:
    """Return how old the figures of a stale thing are, or, where that is not known, its state."""
    return f"{span(age_seconds)} old" if state == "stale" and known(age_seconds) else state


def short_source(name: str) -> str:
    """Return a source's id without this machine's own address: `vllm:8000`."""
    return name.replace("@127.0.0.1:", ":")


def plain_or(condition: bool, letter: str) -> str:
    """Return `letter` where the condition holds, else plain."""
    return letter if condition else PLAIN
