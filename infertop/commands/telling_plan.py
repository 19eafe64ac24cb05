"""Which message a channel is sent next, and what is worth one: no clock, no network, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from infertop.alerts.form import CLOSED, OPENED, alert_of, summary_id
from infertop.history.outbox import FAILED, HOUR, SENT, WAITING, Entry, Key, Letter
from infertop.views.event_shapes import ACKNOWLEDGED, PLANNED
from infertop.views.event_shapes import CLOSED as CLOSED_STATE

GIVE_UP_SECONDS = 24 * HOUR
CAUSE_SECONDS = 20.0
_KINDS = frozenset({"incident", "budget", "request"})
_LEVELS = frozenset({"warn", "alarm"})
_MOST_AT_ONCE = 100
_FIRST_RETRY, _LAST_RETRY = 5.0, 900.0
_MOST_DOUBLINGS = 10
_LONGEST_WAIT = 2 * HOUR  # what is to wait longer was noted by a clock that has been set back since
_PATIENT = 4  # tries, after which a letter no longer holds up those behind it


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out at once: one letter, or several summed up. `id` is the same whenever they are sent again."""

    id: str
    entries: tuple[Entry, ...]

    @property
    def keys(self) -> list[Key]:
        """Those of its letters."""
        return [each.key for each in self.entries]

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return max(each.attempts for each in self.entries)

    @property
    def next_at(self) -> float:
        """When it is due."""
        return max(each.next_at for each in self.entries)


def letters(
    key: str, event: Mapping[str, Any], channels: Iterable[str], host: str, now: float, ends: float | None
) -> list[Letter]:
    """Return what the channels are to be told of an event: that something began, or that an incident ended.

    What began is told with its cause, if that is found within a moment. What somebody has seen already is told no more.
    """
    if event.get("kind") == "incident" and event.get("state") in (ACKNOWLEDGED, PLANNED):
        return [Letter(f"{key} {OPENED}", channel, {}, now, now, withdrawn=True) for channel in channels]
    stage = _stage(event)
    if stage is None:
        return []
    incident = event.get("kind") == "incident"
    content = alert_of(key, event, stage, host, ends)
    waits = CAUSE_SECONDS if incident and stage == OPENED and not event.get("cause") else 0.0
    return [
        Letter(
            id=f"{key} {stage}",
            channel=channel,
            content=content,
            ts=now,
            next_at=now + waits,
            ends=ends,
            lasting=stage == OPENED,
            closes=f"{key} {OPENED}" if stage == CLOSED else "",
            alone=stage == CLOSED and event.get("level") in _LEVELS,
        )
        for channel in channels
    ]


def _stage(event: Mapping[str, Any]) -> str | None:
    kind = event.get("kind")
    if kind not in _KINDS:
        return None
    if kind == "incident" and event.get("state") == CLOSED_STATE:
        return CLOSED
    return OPENED if event.get("level") in _LEVELS else None


def next_message(entries: Sequence[Entry], channel: str, per_hour: int, now: float) -> Message | None:
    """Return what `channel` is to be sent now, or None.

    At first every letter is a message. The last one of the first half of what an hour allows has all that waits in it,
    and so has each of the other half, which is spread over the hour: no more than `per_hour` go out in any hour, and
    nobody waits for an hour either.
    """
    mine = [each for each in entries if each.letter.channel == channel]
    due = [each for each in _messages(mine) if not now < each.next_at <= now + _LONGEST_WAIT]
    if not due:
        return None
    due.sort(key=lambda each: (each.attempts >= _PATIENT, each.entries[0].seq))
    gone = _gone(mine, now)
    burst = (per_hour + 1) // 2
    if len(gone) < burst - 1:
        return due[0]
    rest = per_hour - burst
    if len(gone) >= burst and (not rest or now < gone[-1] + HOUR / rest or len(gone) >= per_hour):
        return None
    fresh = [each.entries[0] for each in due if not each.entries[0].batch][:_MOST_AT_ONCE]
    if due[0].entries[0].batch or len(fresh) < 2:
        return due[0]
    return Message(summary_id([each.letter.id for each in fresh]), tuple(fresh))


def _messages(entries: Iterable[Entry]) -> list[Message]:
    """Put together again what went out together before."""
    tried: dict[str, list[Entry]] = {}
    found = []
    for each in entries:
        if each.state == WAITING and each.batch:
            tried.setdefault(each.batch, []).append(each)
        elif each.state == WAITING:
            found.append(Message(str(each.letter.content.get("id", each.letter.id)), (each,)))
    return found + [Message(batch, tuple(members)) for batch, members in tried.items()]


def _gone(entries: Iterable[Entry], now: float) -> list[float]:
    """Return when the messages of the last hour went out, the first one first."""
    sent = {each.batch: each.tried for each in entries if each.state == SENT and each.tried is not None}
    return sorted(ts for ts in sent.values() if now - HOUR < ts <= now)


def given_up(entries: Iterable[Entry], now: float) -> list[Key]:
    """Return the letters that nobody could be told for a day."""
    return [each.key for each in entries if each.state == WAITING and each.letter.ts < now - GIVE_UP_SECONDS]


def lasting(entries: Iterable[Entry], channel: str, now: float) -> list[Entry]:
    """Return what a channel was told and what still goes on."""
    return [
        each
        for each in entries
        if each.letter.channel == channel and each.state == SENT and each.lasting
        if each.letter.ends is None or each.letter.ends > now
    ]


def has_failed(entries: Iterable[Entry], channel: str, now: float) -> bool:
    """Say whether something could not be told within the last day."""
    return any(
        each.state == FAILED and each.letter.channel == channel and each.letter.ts >= now - GIVE_UP_SECONDS
        for each in entries
    )


def wait_seconds(attempts: int, asked: float | None, random: Random) -> float:
    """Return how long to wait after so many tries: twice as long each time, and at least what the other side asked."""
    doubled = min(_FIRST_RETRY * (1 << min(max(attempts - 1, 0), _MOST_DOUBLINGS)), _LAST_RETRY)
    return max(doubled * random.uniform(0.75, 1.0), asked or 0.0)
