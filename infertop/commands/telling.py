"""The recorder's session tells of incidents and budgets: once a second it looks at what is due, and sends it.

Sending takes its time in a task of each channel, one message at a time. What is about to be sent is noted first, what
came of it after (history/outbox.py). While that cannot be stored, nothing new is sent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any, cast

from infertop.alerts import alertmanager, command, webhook
from infertop.alerts.form import Alert, summary_of
from infertop.alerts.outcome import Outcome
from infertop.commands.guard import EPISODE_SECONDS
from infertop.commands.levels import RUNAWAY
from infertop.commands.telling_plan import (
    CAUSE_SECONDS,
    GIVE_UP_SECONDS,
    Message,
    given_up,
    has_failed,
    lasting,
    letters,
    next_message,
    wait_seconds,
)
from infertop.engine.collector import Unavailable
from infertop.history.outbox import HOUR, WAITING, Entry, Key, Letter
from infertop.history.recorder import Recorder
from infertop.history.summary import Summary
from infertop.money import settings
from infertop.money.periods import period
from infertop.money.settings import Settings
from infertop.readings.safe import safe

WEBHOOK, COMMAND = "webhook", "command"
CLOSE_SECONDS = 3.0
_LATE, _HELD = "late", "held"
_MEND = "set {} of [alert] in pricing.toml right, then it is told"
_NOBODY = (
    "alerts are told to nobody while the history is kept in memory: the next start would tell them again; "
    "start again once it can be written, or with another --db"
)
_LATER = "alerts wait until the history can be written: a start before that would tell them again"
_OF_RUNAWAY = re.compile(rf" \d+ {RUNAWAY} \d+$")
_FLUSH_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Telling:
    """What is to be told goes through here: `letters` says what that is, `tick` sends it.

    `environ` is what commands are run with; `random` spreads retries.
    """

    def __init__(
        self,
        recorder: Recorder,
        alert: settings.Alert,
        *,
        environ: Mapping[str, str] = os.environ,
        random: Random | None = None,
    ) -> None:
        self._recorder = recorder
        self._environ = environ
        self._random = random or Random()
        self._host = socket.gethostname()
        self._alert = alert
        self._new = True
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._troubles: dict[str, str] = {}
        self._done: set[Key] = set()
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._again_at = 0.0
        self._held = False
        self._is_alertmanager = False

    @property
    def channels(self) -> tuple[str, ...]:
        """Who is told."""
        alert = self._alert
        return (*([WEBHOOK] if alert.has_webhook else []), *([COMMAND] if alert.command else []))

    @property
    def notices(self) -> tuple[str, ...]:
        """Why somebody cannot be told."""
        return tuple(self._troubles.values())

    def letters(self, key: str, event: Mapping[str, Any], summary: Summary, said: Settings, now: float) -> list[Letter]:
        """Return what is to be told of an event, to whom."""
        return letters(key, event, self.channels, self._host, now, _ends(key, event, summary, said))

    def tick(self, alert: settings.Alert, now: float) -> None:
        """Send what is due; `alert` says who is told now."""
        if alert != self._alert:
            self._alert, self._new = alert, True
            self._troubles.clear()
            self._not_before.clear()
            self._failures.clear()
        entries = self._entries()
        self._hold(entries)
        if self._new and self._recorder.outbox is not None:
            self._begin(entries, now)
        for channel in self.channels:
            if self._is_free(channel):
                self._next(channel, entries, now)
        if late := given_up(entries, now):
            self._troubles[_LATE] = "alerts of a day ago could be told to nobody and are given up: the events have them"
            self._recorder.mail(lambda outbox: outbox.failed(late, "nobody could be told for a day"))

    async def close(self, now: float, seconds: float = CLOSE_SECONDS) -> None:
        """Send what nobody tried to send yet, within a few seconds; the rest is sent by whoever records next."""
        if not self.channels:
            return
        await asyncio.to_thread(self._recorder.flush, seconds)
        entries = tuple(each for each in self._entries() if each.state != WAITING or not each.attempts)
        self._hold(entries)
        for channel in self.channels:
            if self._is_free(channel) and channel not in self._failures:
                self._next(channel, entries, now + CAUSE_SECONDS)
        running = [task for task in self._tasks.values() if not task.done()]
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _is_free(self, channel: str) -> bool:
        return channel not in self._tasks or self._tasks[channel].done()

    def _entries(self) -> tuple[Entry, ...]:
        """Return what the recorder knows, without what was told and could not be noted yet."""
        known = self._recorder.outbox or ()
        if self._done:
            self._done.difference_update([each.key for each in known if each.state != WAITING])
        return tuple(each for each in known if each.key not in self._done)

    def _begin(self, entries: tuple[Entry, ...], now: float) -> None:
        """Look at who is told, at the start and when that is another: what could not be told before may be now."""
        self._new = False
        for channel in self.channels:
            if has_failed(entries, channel, now):
                since = now - GIVE_UP_SECONDS
                self._recorder.mail(partial(_revive, channel, since, now))
        if self.channels and self._is_free(self.channels[0]):
            self._start(self.channels[0], self._look())

    def _next(self, channel: str, entries: tuple[Entry, ...], now: float) -> None:
        if now < self._not_before.get(channel, 0.0):
            return
        message = next_message(entries, channel, self._alert.per_hour, now)
        if message is not None and self._held:
            return
        if message is not None:
            self._start(channel, self._deliver(channel, message, now))
        elif channel == WEBHOOK and self._is_alertmanager and now >= self._again_at:
            still = [_alert_of(each) for each in lasting(entries, channel, now)]
            self._again_at = now + alertmanager.AGAIN_SECONDS
            if still:
                self._start(channel, self._say_again(still, now))

    def _hold(self, entries: tuple[Entry, ...]) -> None:
        """Hold back what is new while it could not be noted that it was told: whoever starts next would tell it again.

        What goes on is said again all the same (Alertmanager takes it for over otherwise).
        """
        summary = self._recorder.summary
        self._held = bool(self.channels) and (summary.in_memory or bool(summary.status))
        self._troubles.pop(_HELD, None)
        if self._held and summary.in_memory:
            self._troubles[_HELD] = _NOBODY
        elif self._held and any(each.state == WAITING for each in entries):
            self._troubles[_HELD] = _LATER

    def _start(self, channel: str, work: Any) -> None:
        self._tasks[channel] = asyncio.create_task(_guarded(work, channel))

    async def _look(self) -> None:
        """Say at once where the command's program or the webhook's URL cannot be had."""
        if why := await asyncio.to_thread(command.missing, self._alert.command):
            self._troubles[COMMAND] = f"alerts cannot be told: {why}; {_MEND.format(COMMAND)}"
        try:
            found = await asyncio.to_thread(webhook.webhook_of, self._alert, self._environ)
        except Unavailable as why:
            self._troubles[WEBHOOK] = f"alerts cannot be told: {why.sentence}"
        else:
            self._is_alertmanager = found is not None and found.format == "alertmanager"

    async def _deliver(self, channel: str, message: Message, now: float) -> None:
        """Send one message, and note it before and after."""
        keys = message.keys
        if not await self._note(lambda outbox: outbox.attempt(keys, message.id, now)):
            await self._note(lambda outbox: outbox.again(keys, "", now))
            return
        try:
            alerts = [_alert_of(each) for each in message.entries]
            alert = alerts[0] if len(alerts) == 1 else summary_of(message.id, alerts)
            outcome = await self._send(channel, alert, message.id, now)
        except Exception as error:  # noqa: BLE001 - a bug in one message must not be met again each second
            _log.exception("telling the %s failed", channel)
            outcome = Outcome(False, f"internal error: {type(error).__name__}; details in the log", again=True)
        await self._took(channel, message, outcome, now)

    async def _send(self, channel: str, alert: Alert, message: str, now: float) -> Outcome:
        if channel == COMMAND:
            secret = {self._alert.webhook_env} - {""}
            return await command.run(self._alert.command, alert, command.environment(alert, self._environ, secret))
        try:
            found = await asyncio.to_thread(webhook.webhook_of, self._alert, self._environ)
        except Unavailable as why:
            return Outcome(False, why.sentence, again=True)
        if found is None:
            return Outcome(False, "no webhook is set", again=True)
        self._is_alertmanager = found.format == "alertmanager"
        return await webhook.send(found, found.body(alert, now), message)

    async def _took(self, channel: str, message: Message, outcome: Outcome, now: float) -> None:
        keys, error = message.keys, outcome.sentence
        if outcome.told:
            self._failures.pop(channel, None)
            self._troubles.pop(channel, None)
            self._done.update(keys)
            await self._note(lambda outbox: outbox.sent(keys, now))
            return
        _log.info("an alert was not told to the %s: %s", channel, error)
        self._troubles[channel] = _trouble(channel, outcome)
        if not outcome.again:
            await self._note(lambda outbox: outbox.failed(keys, error))
            return
        self._failures[channel] = self._failures.get(channel, 0) + 1
        wait = wait_seconds(message.attempts + 1, outcome.retry_seconds, self._random)
        self._not_before[channel] = now + wait_seconds(self._failures[channel], outcome.retry_seconds, self._random)
        await self._note(lambda outbox: outbox.again(keys, error, now + wait))

    async def _say_again(self, still: list[Alert], now: float) -> None:
        """Tell Alertmanager that what it was told goes on; it takes it for over otherwise."""
        try:
            found = await asyncio.to_thread(webhook.webhook_of, self._alert, self._environ)
        except Unavailable as why:
            self._troubles[WEBHOOK] = f"alerts cannot be told: {why.sentence}"
            return
        if found is None or found.format != "alertmanager":
            return
        outcome = await webhook.send(found, alertmanager.again(still, now), f"again-{now:.3f}")
        if outcome.told:
            self._troubles.pop(WEBHOOK, None)
        else:
            self._troubles[WEBHOOK] = _trouble(WEBHOOK, outcome)

    async def _note(self, change: Callable[[Any], None]) -> bool:
        """Have something noted in the outbox, and wait until it is stored; return whether it is."""
        self._recorder.mail(change)
        return await asyncio.to_thread(self._recorder.flush, _FLUSH_SECONDS)


async def _guarded(work: Any, channel: str) -> None:
    try:
        await work
    except asyncio.CancelledError:
        raise
    except Exception:  # noqa: BLE001 - a bug in telling must not end the recording
        _log.exception("telling the %s failed", channel)


def _revive(channel: str, since: float, now: float, outbox: Any) -> None:
    outbox.revive(channel, since, now)


def _alert_of(entry: Entry) -> Alert:
    return cast("Alert", dict(entry.letter.content))


def _trouble(channel: str, outcome: Outcome) -> str:
    more = "it is tried again" if outcome.again else _MEND.format(channel)
    return f"an alert could not be told: {safe(outcome.sentence, 300)}; {more}"


def _ends(key: str, event: Mapping[str, Any], summary: Summary, said: Settings) -> float | None:
    """Return when what is told is over by itself: a budget with its period, what is of a moment in hours."""
    if event.get("kind") == "request":
        return float(event["ts"]) + HOUR
    if event.get("kind") != "budget":
        return None
    if _OF_RUNAWAY.search(key):
        return float(event["ts"]) + EPISODE_SECONDS
    name = (event.get("scope") or {}).get("budget")
    for budget in (*said.budgets, *summary.allowances):
        if budget.name == name:
            return period(budget.period, event["ts"], budget.zone(said.zone))[1]
    return float(event["ts"]) + HOUR
