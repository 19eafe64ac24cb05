"""A feed over the hand-made views, with every figure moving: for looking at the screen and for measuring it.

    python -m tests.tui.play [VIEW|crash|broken|calling] [--ascii] [--no-color] [--no-mouse] [--bell] [--osc=9]

With $INFERTOP_TEST_TICKS it ticks twenty times a second and adds a byte to that file at each.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from dataclasses import replace

from infertop.views.account_shapes import AccountsPage, Within
from infertop.views.event_shapes import Comparison, Course
from infertop.views.page_shapes import GpuHistory, ModelPage
from infertop.views.run_shapes import RunsPage
from infertop.views.shapes import Explained, GpuRow, Headline, ModelRow, Overview
from infertop.views.whatif_shapes import WhatIfPage
from tests.tui import sample, sample_accounts, sample_deployments, sample_incidents, sample_runs, sample_whatif
from tests.tui.sample_rows import around, wave
from tui.announcing import Calls

_ACCOUNTS = {id(sample.HOSTILE): sample_accounts.HOSTILE, id(sample.EMPTY): sample_accounts.NOTHING}
_COMPARED = {id(sample_incidents.HOSTILE): sample_incidents.HOSTILE_WHYS[5]}
_WHATIFS = {id(sample.HOSTILE): sample_whatif.HOSTILE, id(sample.EMPTY): sample_whatif.NOTHING}


class PlayFeed:
    """Gives `view`, moved on by one step a call where `moving`."""

    def __init__(self, view: Overview = sample.RICH, *, moving: bool = False, seed: int = 1) -> None:
        self.view = view
        self.moving = moving
        self.started = self.stopped = False
        self.windows: list[float] = []
        self.intervals: list[float] = []
        self.made: WhatIfPage | None = _WHATIFS.get(id(view), sample_whatif.PAGE)
        self.every: WhatIfPage | None = self.made
        self.added_up: RunsPage | None = sample_runs.HOSTILE if view is sample.HOSTILE else sample_runs.PAGE
        self.reckoned: AccountsPage | None = _ACCOUNTS.get(id(view), sample_accounts.PAGE)
        self.divided: list[tuple[str, Within]] = []
        self.compared: Comparison | None = _COMPARED.get(id(view), sample_incidents.EVERYTHING)
        self.asked: list[tuple[dict[str, str], tuple[float, float], tuple[float, float]]] = []
        self.courses: list[tuple[dict[str, str], float, float, int]] = []
        self.has_course = True
        self.acknowledged: list[tuple[str, str]] = []
        self.called: Calls | None = Calls()
        self.steered: list[tuple[str, float]] = []
        self.spans: list[float] = []
        self.every_asked: list[bool] = []
        self._dice = random.Random(seed)

    def overview(self) -> Overview:
        if self.moving:
            self.view = self._moved(self.view)
        return self.view

    def model_page(self, source: str, model: str) -> ModelPage:
        return sample.page(self.view, source, model)

    def gpu_history(self, uuid: str) -> GpuHistory:
        return sample.gpu_history(self.view, uuid)

    def explain(self, panel: str, key: str, column: str) -> Explained:
        return (
            sample.EXPLAINED.get(column, Explained("", ()))
            if panel != "headline"
            else sample.EXPLAINED_HEAD.get(column, Explained("", ()))
        )

    def whatif(self, seconds: float, every: bool) -> WhatIfPage | None:
        self.spans.append(seconds)
        self.every_asked.append(every)
        return self.every if every else self.made

    def runs(self, seconds: float) -> RunsPage | None:
        self.spans.append(seconds)
        return self.added_up

    def accounts(self, by: str, within: Within) -> AccountsPage | None:
        self.divided.append((by, within))
        return self.reckoned and replace(self.reckoned, by=by, within=within)

    def compare(
        self, scope: Mapping[str, str], before: tuple[float, float], after: tuple[float, float]
    ) -> Comparison | None:
        self.asked.append((dict(scope), before, after))
        return self.compared and replace(self.compared, scope=dict(scope), before=before, after=after)

    def course(self, scope: Mapping[str, str], since: float, width: float, count: int) -> Course | None:
        self.courses.append((dict(scope), since, width, count))
        return Course(since, width, wave(count, 3, 12.0)) if self.has_course else None

    def acknowledge(self, key: str, state: str) -> str:
        self.acknowledged.append((key, state))
        events = tuple(replace(e, state=state) if e.key == key else e for e in self.view.events)
        self.view = replace(self.view, events=events)
        return f"{state}, and kept"

    def steer(self, what: str, step: float) -> str:
        self.steered.append((what, step))
        return f"{what} {step:g}"

    def calls(self) -> Calls | None:
        return self.called

    def set_window(self, seconds: float) -> None:
        self.windows.append(seconds)
        self.view = replace(self.view, window_seconds=seconds)

    def set_interval(self, seconds: float) -> None:
        self.intervals.append(seconds)
        self.view = replace(self.view, interval_seconds=seconds)

    async def start(self) -> None:
        self.started = True

    async def stop(self) -> None:
        self.stopped = True

    def _step(self, value: float | None, swing: float = 0.06) -> float | None:
        return None if value is None else value * self._dice.uniform(1 - swing, 1 + swing)

    def _moved(self, view: Overview) -> Overview:
        step = self._step
        at = view.at + view.interval_seconds
        return replace(
            view,
            at=at,
            models=tuple(self._moved_model(row, bin_done=int(at) % 5 == 0) for row in view.models),
            gpus=tuple(map(self._moved_gpu, view.gpus)),
            headline=self._moved_head(view.headline),
            budgets=tuple(replace(b, burn_usd_per_hour=step(b.burn_usd_per_hour)) for b in view.budgets),
            sources=tuple(
                replace(s, age_seconds=step(s.age_seconds, 0.5), poll_seconds=step(s.poll_seconds, 0.3))
                for s in view.sources
            ),
        )

    def _moved_model(self, row: ModelRow, *, bin_done: bool) -> ModelRow:
        step, dice = self._step, self._dice
        moved = replace(
            row,
            age_seconds=dice.uniform(0.1, 1.0) if row.state == "up" else row.age_seconds,
            usd_per_hour=step(row.usd_per_hour),
            usd_per_request=step(row.usd_per_request),
            usd_per_million={name: step(v) for name, v in row.usd_per_million.items()},
            tokens_per_second={name: step(v) for name, v in row.tokens_per_second.items()},
            requests_per_second=step(row.requests_per_second),
            waiting=None if row.waiting is None else float(dice.randrange(9)),
            kv_cache_usage=None if row.kv_cache_usage is None else dice.random(),
            shadow_margin_usd_per_hour=step(row.shadow_margin_usd_per_hour),
            trend=(*row.trend[1:], step(row.trend[-1], 0.3)) if bin_done and row.trend else row.trend,
        )
        if not row.ttft.count:
            return moved
        ttft = replace(row.ttft, p50=around(dice.uniform(0.1, 0.9)), p95=around(dice.uniform(1, 2)))
        return replace(moved, ttft=ttft, inter_token=replace(row.inter_token, p50=around(dice.uniform(0.02, 0.05))))

    def _moved_gpu(self, row: GpuRow) -> GpuRow:
        return replace(
            row,
            utilization=self._dice.random() if row.models else 0.0,
            memory_used_bytes=self._step(row.memory_used_bytes, 0.03),
            power_watts=self._step(row.power_watts),
            idle_usd_per_hour=self._step(row.idle_usd_per_hour),
            temperature_celsius=self._step(row.temperature_celsius, 0.02),
        )

    def _moved_head(self, head: Headline) -> Headline:
        return replace(
            head,
            usd_per_hour=self._step(head.usd_per_hour),
            today_usd=None if head.today_usd is None else head.today_usd + 0.01,
            idle_usd_per_hour=self._step(head.idle_usd_per_hour),
            gpu_usd_per_hour=self._step(head.gpu_usd_per_hour),
        )


class CrashFeed(PlayFeed):
    """Breaks at the third tick, with something in a local variable that nobody may see."""

    def overview(self) -> Overview:
        secret = "sk-canary-0123456789"
        self.count = getattr(self, "count", 0) + 1
        if self.count > 3:
            raise RuntimeError(f"the view could not be made ({len(secret)})")
        return self.view


class CountedFeed(PlayFeed):
    """Says in a file that it was asked."""

    def overview(self) -> Overview:
        with open(os.environ["INFERTOP_TEST_TICKS"], "ab") as file:
            file.write(b".")
        return super().overview()


class CallingFeed(PlayFeed):
    """Opens an incident with a harmful name at the fourth tick; the words say by what to call."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(sample_incidents.VIEW)
        self.called = Calls("--bell" in words, tuple(n for n in (9, 777) if f"--osc={n}" in words))
        self.count = 0

    def overview(self) -> Overview:
        self.count += 1
        if self.count == 4:
            new = replace(sample_incidents.SLOW, key="new", text=f"new; {''.join(sample.HOSTILE_NAMES[3:7])}")
            self.view = replace(self.view, events=(new, *self.view.events))
        return self.view


class BrokenStart(PlayFeed):
    """Cannot begin to collect."""

    async def start(self) -> None:
        raise RuntimeError("the collectors could not be started")


VIEWS = {
    "rich": sample.RICH,
    "empty": sample.EMPTY,
    "incidents": sample_incidents.VIEW,
    "hostile incidents": sample_incidents.HOSTILE,
    "hostile": sample.HOSTILE,
    "demo": replace(sample.RICH, mode="demo"),
    "deployments": replace(sample.RICH, deployments=sample_deployments.ROWS),
    "viewer": replace(
        sample.RICH, mode="viewer", recorder="recorded by pid 4312", notices=("history is paused: the disk is full",)
    ),
}


def main(words: list[str]) -> int:
    from tui.app import run

    name = next((word for word in words if not word.startswith("-")), "rich")
    broken = {"crash": CrashFeed, "broken": BrokenStart}
    if name == "calling":
        feed: PlayFeed = CallingFeed(words)
    elif name in broken:
        feed = broken[name]()
    elif "INFERTOP_TEST_TICKS" in os.environ:
        feed = CountedFeed(replace(VIEWS[name], interval_seconds=0.05), moving=True)
    else:
        feed = PlayFeed(VIEWS[name], moving="--still" not in words and name != "empty")
    return run(feed, mouse="--no-mouse" not in words, color="--no-color" not in words, ascii="--ascii" in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
