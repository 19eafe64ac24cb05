"""An alert as the text that Slack's incoming webhooks take, and Mattermost's, Rocket.Chat's and Discord's after them.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: {"text": ...}, with & < > escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from infertop.alerts.form import RESOLVED, SUMMARY, TEST, Alert

_LONGEST = 12_000
_MOST_EFFECTS = 3
_WORDS = {"critical": "ALARM", "warning": "warning", "info": "note"}
# What a receiver would make a mention or a link of, where it looks for them in plain text: one wakes a whole channel.
_MENTION = re.compile(r"@(?=(?:channel|here|everyone|all|group)\b)|(?<!\w)@(?=\w)|(?<=:)(?=//)", re.IGNORECASE)
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def message(alert: Alert) -> dict[str, str]:
    """Return the body: the sentence, its cause, and what changed most, a line each."""
    lines = list(_lines(alert))
    text = "\n".join(lines)
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rpartition("\n")[0] + "\n… and more: infertop's events have them all"
    return {"text": text}


def plain(text: str) -> str:
    """Return `text` so that nothing in it is a link, a mention or an escape."""
    return _MENTION.sub(lambda found: found[0] + "\u200b", text).translate(_ESCAPES)


def _lines(alert: Alert) -> Iterator[str]:
    yield f"*infertop {_word(alert)}* on {plain(alert['host'])}: {plain(alert['summary'])}"
    if alert["kind"] == SUMMARY:
        for each in alert["alerts"]:
            yield f"• {_word(each)}, {each['since'][11:16]} UTC: {plain(each['summary'])}{_cause(each)}"
        return
    if alert["cause"]:
        yield plain(alert["cause"])
    largest = sorted(alert["effects"], key=lambda each: -abs(each["usd_per_hour"] or 0.0))
    for effect in largest[:_MOST_EFFECTS]:
        where = f" of {plain(effect['of'])}" if effect["of"] else ""
        if effect["usd_per_hour"] is not None:
            yield f"• {plain(effect['factor'])}{where}: {effect['usd_per_hour']:+,.2f} $/h"
    if alert["excess_usd"] is not None:
        yield f"{alert['excess_usd']:,.2f} $ beyond the expected since {alert['since'][11:16]} UTC"


def _word(alert: Alert) -> str:
    if alert["kind"] == TEST:
        return "test"
    return "all clear" if alert["status"] == RESOLVED else _WORDS.get(alert["severity"], "note")


def _cause(alert: Alert) -> str:
    return f" - {plain(alert['cause'])}" if alert["cause"] else ""
