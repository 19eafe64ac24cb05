"""Incidents on the screen: the line that matters most, the page of events, one incident in full, what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.views.event_shapes import ACKNOWLEDGED, OPEN, PLANNED, Event
from infertop.views.shapes import Overview
from tests.tui import sample, sample_incidents
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.incidents import about, about_budget, by_stakes, figure, said
from tui.keys import action
from tui.look import Look
from tui.terminal import shades
from tui.themes import ALARM, Shades
from tui.widgets.cells import FILL

SMALL, WIDE = (80, 24), (160, 50)
OPENED, SLOW, ACKED = sample_incidents.OPENED, sample_incidents.SLOW, sample_incidents.ACKED


def desk(view: Overview = sample_incidents.VIEW, size: tuple[int, int] = SMALL, page: int = 6, **look: object) -> Desk:
    made = Desk(PlayFeed(view), Look(**({"shades": shades(color=False)} | look)))
    made.view_page(page)
    made.paint(*size)
    return made


def text(made: Desk, size: tuple[int, int] = SMALL) -> str:
    return "\n".join(row.text for row in made.paint(*size))


def flat(made: Desk, size: tuple[int, int] = SMALL) -> str:
    return " ".join(text(made, size).split())


def feed(made: Desk) -> PlayFeed:
    assert isinstance(made.feed, PlayFeed)
    return made.feed


def only(*events: Event) -> Overview:
    return replace(sample_incidents.VIEW, events=events)


def test_the_overview_says_what_is_wrong_since_when_what_it_costs_why_and_how_many_more() -> None:
    first, second = text(desk(page=1)).splitlines()[-3:-1]
    assert first.startswith(" ! 04:12  gpt-4o: 2.6x: $4.31/h, expected $1.66/h  ")
    assert first.rstrip().endswith("+2.65 $/h  (+1, see 6)")
    assert second.strip() == "prompt tokens per request on gpt-4o 1 900 → 4 200: 51 % of the rise"


def test_where_nothing_is_metered_any_more_an_open_incident_is_still_called_out() -> None:
    shown = text(desk(replace(sample.EMPTY, events=(OPENED,)), page=1))
    assert "infertop looked for" not in shown
    assert "gpt-4o: 2.6x" in shown


def test_the_dearest_open_incident_goes_before_newer_and_louder_ones() -> None:
    dear = replace(SLOW, key="dear", ts=OPENED.ts - 9000, level="warn", excess_usd_per_hour=9.0, text="the dear one")
    assert by_stakes((OPENED, SLOW, dear)) == [dear, OPENED, SLOW]
    assert "the dear one" in text(desk(only(OPENED, SLOW, dear), page=1)).splitlines()[-2]


def test_what_somebody_has_acknowledged_or_planned_is_not_called_out_any_more() -> None:
    quiet = desk(only(ACKED, sample_incidents.PLAN, *sample.EVENTS[2:]), page=1)
    assert "llama-3-70b costs" not in text(quiet)
    assert "key nightly" not in text(quiet)


def test_without_room_for_two_rows_one_still_says_it() -> None:
    last = text(desk(page=1, size=(80, 12)), (80, 12)).splitlines()[-2]
    assert "! 04:12  gpt-4o: 2.6x: $4.31/h, expected $1.66/h" in last
    assert "+2.65 $/h" in last


def test_an_incident_that_costs_nothing_says_no_dollars() -> None:
    line = text(desk(only(SLOW), page=1), (140, 40)).splitlines()[-2]
    assert line.rstrip() == " ! 04:20  qwen3-32b: cached share of prompts 12 % where 44 % is usual"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "gpt-4o: 2.6x: $4.31/h, expected $1.66/h, since 04:12; +$2.65/h, $0.80 more so far",
            "gpt-4o: 2.6x: $4.31/h, expected $1.66/h",
        ),
        (
            "in all: $9.10/h, expected $3.00/h, most of it key a, b, since Nov 3 14:05",
            "in all: $9.10/h, expected $3.00/h, most of it key a, b",
        ),
        (
            "a: output tokens/request 4,200, expected 158, from 14:05 to 15:07; it is as expected again",
            "a: output tokens/request 4 200, expected 158",
        ),
        ("a, since b, c: $2.00/h, expected $1.00/h", "a, since b, c: $2.00/h, expected $1.00/h"),
    ],
)
def test_what_columns_say_is_not_said_again(text: str, shown: str) -> None:
    assert said(replace(OPENED, text=text)) == shown


def test_rows_that_an_open_incident_is_about_are_marked_and_others_are_not() -> None:
    events = (OPENED, SLOW, ACKED)
    assert about(events, model="gpt-4o", source="openai", provider="openai")
    assert about(events, model="qwen3-32b", source="triton@127.0.0.1:8002", provider="local")
    assert not about(events, model="qwen3-32b", source="vllm", provider="local")
    assert not about(events, model="llama-3-70b", source="vllm@127.0.0.1:8000", provider="local")
    rows = desk(page=1, shades=Shades.COLOUR).paint(*SMALL)
    marked = {row.text.split()[0].strip("▌") for row in rows[3:13] if row.style.rstrip().endswith(ALARM)}
    assert marked == {"gpt-4o", "qwen3-32b"}


def test_a_budget_that_an_open_incident_is_within_is_marked() -> None:
    assert about_budget((OPENED,), "model=gpt-4o*")
    assert not about_budget((OPENED,), "model=gpt-4o* team=support")
    assert not about_budget((OPENED,), "")
    assert about_budget((replace(OPENED, scope={}),), "")
    assert not about_budget((ACKED,), "model=llama*")
    assert about_budget((replace(OPENED, scope={"team": "big data", "model": "m"}),), "team=big data model=m")
    (row,) = (line for line in text(desk(page=4), WIDE).splitlines() if line[1:].startswith("support bot"))
    assert "4.31!" in row


def test_a_notice_that_its_line_says_whole_is_not_said_again() -> None:
    short = replace(sample_incidents.VIEW, notices=("the disk is full",))
    assert text(desk(short), WIDE).count("the disk is full") == 1
    long = replace(sample_incidents.VIEW, notices=("the disk is full " * 20,))
    assert " NOTICE" in text(desk(long), WIDE)


def test_open_incidents_stand_on_top_of_the_history_and_states_are_words() -> None:
    rows = [row.split() for row in text(desk(), WIDE).splitlines() if " see 6" not in row]
    at = {word: next(n for n, row in enumerate(rows) if word in row) for word in ("open", "acknowledged", "planned")}
    assert at["open"] < at["acknowledged"] < at["planned"]
    assert next(n for n, row in enumerate(rows) if "closed" in row) > at["planned"]
    shown = text(desk(), SMALL)
    for words in ("! open", "○ acked", "◌ planned", "· closed", "+14.40", "+48.90"):
        assert words in shown, words


def test_what_is_known_of_the_event_under_the_cursor_is_said_below() -> None:
    shown = flat(desk(size=WIDE), WIDE)
    for words in (
        "when 04:12, for 18 min so far",
        "figure $/h 4.31, expected 1.66",
        "excess +0.80 $ so far, +2.65 $/h now",
        "stands on 6 d of history",
        "state open: a acknowledges it, P says that it was planned",
        "of model gpt-4o",
    ):
        assert words in shown, words


def test_a_filter_is_over_what_happened_and_whom_it_is_of_and_is_its_own() -> None:
    made = desk()
    made.filter()
    for letter in "nightly":
        made.typed(letter, letter)
    made.paint(*SMALL)
    assert "1 of 8" in text(made)
    assert "key nightly" in text(made)
    assert "llama-3-70b" not in text(made)
    made.view_page(1)
    assert "llama-3-70b" in text(made)


@pytest.mark.parametrize(("key", "state"), [("acknowledge", ACKNOWLEDGED), ("planned", PLANNED)])
def test_a_key_says_it_of_the_incident_and_takes_it_back(key: str, state: str) -> None:
    made = desk()
    getattr(made, key)()
    assert feed(made).acknowledged == [(OPENED.key, state)]
    assert made.choices.message == f"{state}, and kept"
    assert "see 6" not in text(made)
    made.choices.cursor("events").key = OPENED.key
    getattr(made, key)()
    assert feed(made).acknowledged[-1] == (OPENED.key, OPEN)


def test_nothing_is_said_of_what_has_closed_or_is_no_incident() -> None:
    made = desk()
    made.move(100)
    made.acknowledge()
    assert made.choices.message == "this incident has closed"
    made.move(-1)
    made.planned()
    assert made.choices.message == "the cursor is on no incident"
    assert feed(made).acknowledged == []


def test_a_is_a_key_of_events_and_another_one_of_what_if() -> None:
    assert action("a", "events") == "do('acknowledge')"
    assert action("a", "incident") == "do('acknowledge')"
    assert action("a", "whatif") == "do('every')"
    assert action("w", "whatif") == "do('whatif')"
    assert action("f12", "whatif") is None


def test_enter_opens_the_incident_with_its_cause_in_figures() -> None:
    made = desk()
    made.open()
    shown = text(made)
    for words in (
        "events › gpt-4o $/h",
        "! open   since 04:12, 18 min   $/h 4.31, expected 1.66",
        "+0.80 $ so far   +2.65 $/h now   of model gpt-4o   stands on 6 d of history",
        "before Sat 04:12-04:30 (18 min) 1.66/h",
        "after  04:12-04:30 (18 min)     4.31/h   +2.65/h  2.60x",
        "prompt tokens per request   1 900   4 200    +1.35   51 %",
        "44 %    12 %    +0.51   19 %",
        "total                                        +2.65  100 %",
        "BY KEY",
        "new",
        "gone",
        "! 5 % of the tokens before have no price",
    ):
        assert words in shown, words
    made.back()
    assert made.page.name == "events"


def test_enter_on_another_event_explains_it() -> None:
    made = desk()
    made.move(100)
    made.move(-1)
    made.open()
    assert made.page.name == "explain"


def test_the_page_follows_its_incident_and_keeps_the_last_of_one_that_is_gone() -> None:
    made = desk()
    made.open()
    later = replace(OPENED, excess_usd=1.7, until=sample.AT, state="closed")
    feed(made).view = only(SLOW, later)
    made.tick()
    assert "+1.70 $ in all" in text(made)
    feed(made).view = only(SLOW)
    made.tick()
    assert "+1.70 $ in all" in text(made)


def test_an_incident_whose_cause_is_not_known_says_so() -> None:
    made = desk(only(SLOW))
    made.open()
    assert "what changed is not worked out yet" in text(made)


def test_a_key_says_it_of_the_incident_whose_page_is_open() -> None:
    made = desk()
    made.open()
    made.choices.cursor("events").key = SLOW.key
    made.acknowledge()
    assert feed(made).acknowledged == [(OPENED.key, ACKNOWLEDGED)]
    assert "○ acknowledged" in text(made)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("size", [SMALL, (140, 40), (200, 60), (40, 12), (20, 5), (3, 2), (1, 1)])
def test_it_fits_every_terminal_and_names_do_no_harm(size: tuple[int, int], plain: bool) -> None:
    look = {"shades": Shades.BARE, "ascii": True} if plain else {}
    for view in (sample_incidents.VIEW, sample_incidents.HOSTILE, sample.EMPTY):
        for page in (1, 6):
            made = desk(view, size, page, **look)
            for _ in range(3):
                rows = [made.look.finish(row) for row in made.paint(*size)]
                assert [len(row.text) for row in rows] == [size[0]] * size[1]
                assert not [c for row in rows for c in row.text.replace(FILL, "") if not c.isprintable()]
                made.open()
                made.move(1)


@pytest.mark.parametrize("at", range(len(sample_incidents.HOSTILE_WHYS)))
def test_every_hostile_cause_is_drawn(at: int) -> None:
    made = desk(sample_incidents.HOSTILE)
    made.choices.cursor("events").key = sample_incidents.HOSTILE.events[at].key
    made.open()
    assert made.page.name in ("incident", "explain")
    text(made, WIDE)


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("usd_per_hour", 4.31, "4.31"),
        ("usd_per_request", 0.00041, ".00041"),
        ("tokens_per_request", 4200.0, "4 200"),
        ("cache_hit_ratio", 0.12, "12 %"),
        ("requests_per_second", 3.4, "3.40"),
        ("ttft_seconds", 0.25, "0.25 s"),
        ("usd_per_hour", None, "-"),
    ],
)
def test_figures_are_written_as_their_tables_have_them(metric: str, value: float | None, shown: str) -> None:
    assert figure(metric, value) == shown
