"""How an event came about: of an incident its figures by their formula, the past it stands on, and what made it one."""

from __future__ import annotations

from collections.abc import Iterable

from infertop.money.detect.incidents import Rule
from infertop.money.detect.scopes import CACHE_HITS, LATENCIES, METRICS, OUTPUT, PROMPT, REQUESTS
from infertop.money.detect.stakes import LEAST_USD, floor_usd, rule_of
from infertop.money.settings import Settings
from infertop.readings.safe import safe
from infertop.views.event_shapes import CLOSED, Event
from infertop.views.facts import Facts
from infertop.views.incident_text import KIND, MARK, subject
from infertop.views.shapes import Explained
from infertop.views.wording import amount, enough, number, span, usd

_TEXT_CELLS = 300
_STATES = {
    "open": "nobody has acknowledged it yet, or called it planned",
    "acknowledged": "somebody looks after it: nobody is alerted again until it closes",
    "planned": "it was intended: nobody is alerted again, and what it does counts as usual later",
    CLOSED: "the figure was as expected again for a quarter of an hour",
}
_KINDS = {
    MARK: "further from the mean of its last week than [alert] sigma standard deviations: a highlight, no alert",
    "news": "a key or a model that was never used before: worth knowing, no alert",
    "budget": "a level of a budget: each is told once in its period",
    "restart": "an engine was restarted: its counters count from zero again",
    "pricing": "pricing.toml as it is now cannot be used",
}


# What a figure that is no $/hour costs beyond the expected.
_ABOUT = {
    PROMPT: "the sum over its minutes of the $/h of prompts x (value - expected) / value x hours",
    OUTPUT: "the sum over its minutes of the $/h of answers x (value - expected) / value x hours",
    CACHE_HITS: "the sum over its minutes of prompt tokens x (expected - value) x what a hit saves of a token's price",
    "": "the sum over its minutes of the $/h paid by use x (value - expected) / value x hours",
    REQUESTS: "the sum over its minutes of $/h paid by use - what as many requests as expected usually cost, x hours",
}


def event_figures(facts: Facts, key: str) -> dict[str, Explained]:
    """Return the explanations of the columns of an event's row; its key is the event's."""
    event = next((each for each in facts.past.events if each.key == key), None)
    if event is None:
        return {}
    said = Explained(safe(event.kind), tuple(_said(event)))
    if event.kind != KIND:
        return dict.fromkeys(("event", "state", "lasted", "excess_usd", "text"), said)
    state = Explained("state", (f"{event.state}: {_STATES.get(event.state, 'unknown')}",))
    made = Explained("incident", (*_figures(event), *_past(event), *_made(facts.prices.settings)))
    return {
        "event": made,
        "text": made,
        "state": state,
        "lasted": Explained("lasted", tuple(_lasted(facts, event))),
        "excess_usd": Explained(f"excess  {usd(event.excess_usd)}", tuple(_excess(event))),
    }


def _said(event: Event) -> Iterable[str]:
    yield safe(event.text, _TEXT_CELLS)
    if event.kind in _KINDS:
        yield _KINDS[event.kind]


def _figures(event: Event) -> Iterable[str]:
    metric = METRICS.get(event.metric)
    yield safe(f"{subject(event.scope)}: {metric.words if metric else event.metric}", _TEXT_CELLS)
    if event.value is None or event.expected is None:
        return
    if event.state == CLOSED:
        yield "value and expected: the means of its time"
    if event.expected > 0 and event.value > 0:
        texts = enough(event.value / event.expected, lambda one, other: one / other, event.value, event.expected)
        yield f"value / expected = {texts[0]} / {texts[1]} = {amount(event.value / event.expected)} times"
    else:
        yield f"value {number(event.value)}, expected {number(event.expected)}"


def _past(event: Event) -> Iterable[str]:
    if event.history_seconds is None:
        return
    yield f"expected: from {span(event.history_seconds)} of its own past: the hours just before, this one on other days"


def _made(settings: Settings) -> Iterable[str]:
    rule = rule_of(settings)
    yield "an incident is all of: rare in its own past, dear enough, well above the expected, and lasting:"
    yield f"  further above the usual than all but 1 in {10**rule.score:,.0f} of the 10-minute spans of its past"
    yield f"  {usd(rule.floor_usd)} at stake: what it came to, and what an hour more adds; {_floor(settings)}"
    yield f"  {_ratios(rule)}"


def _floor(settings: Settings) -> str:
    if settings.alert.floor_usd is not None:
        return "[alert] floor_usd"
    if floor_usd(settings) > LEAST_USD:
        return "0.5 % of the largest budget over a month"
    return f"{usd(LEAST_USD)} where no budget over a month is above {usd(LEAST_USD * 200)}"


def _ratios(rule: Rule) -> str:
    minutes = ", ".join(f"{ratio:.2g} for {20 + 10 * at} min" for at, ratio in enumerate(rule.steps[1:]))
    return f"{rule.steps[0]:.2g} times the most that is usual at once, {minutes}"


def _lasted(facts: Facts, event: Event) -> Iterable[str]:
    if event.until is None:
        yield f"{span(max(0.0, facts.now - event.ts))} so far: since its first value that was beyond"
    else:
        yield f"{span(event.until - event.ts)}: from its first value that was beyond to the first as expected again"


def _excess(event: Event) -> Iterable[str]:
    metric = METRICS.get(event.metric)
    if event.metric in LATENCIES:
        yield "no dollars: a slower answer costs the same"
    elif event.excess_usd is None:
        yield "unknown: what it costs is"
    elif metric is None or metric.in_usd:
        yield "the sum over its minutes of (value - expected), in $/h, x hours"
    else:
        yield _ABOUT.get(event.metric, _ABOUT[""])
    if event.excess_usd_per_hour is not None:
        yield f"it adds {amount(event.excess_usd_per_hour)} USD/h now"
