"""The bell and the terminal's notifications: when somebody is called, how often, and what reaches the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.views.event_shapes import ACKNOWLEDGED, OPEN, Event
from infertop.views.shapes import Overview
from tests.tui import sample, sample_incidents
from tests.tui.emulator import ESCAPE, Terminal
from tui.announcing import Announcer, Calls, calls_of

OPENED, SLOW, ACKED = sample_incidents.OPENED, sample_incidents.SLOW, sample_incidents.ACKED
BUDGET = Event(sample.AT, "warn", "budget", "research is over", until=sample.AT, key="budget research 1 over")
XTERM = {"TERM": "xterm-256color"}
ALL = Calls(bell=True, osc=(9, 777))


def view(*events: Event, mode: str = "live") -> Overview:
    return replace(sample.RICH, events=events, mode=mode)


def heard(*views: Overview) -> list[list[str]]:
    announcer, told = Announcer(), []
    for each in views:
        announcer.look(each)
        told.append([event.key for event in announcer.take()])
    return told


def test_of_what_is_there_at_the_start_nobody_is_told() -> None:
    assert heard(view(OPENED, BUDGET), view(OPENED, BUDGET)) == [[], []]


def test_a_new_incident_and_a_new_level_are_told_once_however_often_they_change() -> None:
    later = replace(OPENED, excess_usd=9.0)
    seen = (view(), view(OPENED, BUDGET), view(later, BUDGET), view(), view(later))
    assert heard(*seen) == [[], [BUDGET.key, OPENED.key], [], [], []]


def test_what_nobody_needs_to_hear_of_is_not_told() -> None:
    mark = replace(BUDGET, kind="mark", key="mark")
    news = replace(OPENED, level="info", key="news")
    assert heard(view(), view(mark, news, ACKED)) == [[], []]


def test_one_that_was_acknowledged_and_is_opened_again_is_no_news() -> None:
    acknowledged = replace(OPENED, state=ACKNOWLEDGED)
    assert heard(view(), view(OPENED), view(acknowledged), view(replace(OPENED, state=OPEN))) == [
        [],
        [OPENED.key],
        [],
        [],
    ]


@pytest.mark.parametrize("mode", ["demo", "replay"])
def test_a_recording_calls_nobody(mode: str) -> None:
    assert heard(view(mode=mode), view(OPENED, mode=mode)) == [[], []]


def test_unless_it_is_asked_for_nothing_is_written() -> None:
    assert calls_of([OPENED], Calls(), environ=XTERM) == ""
    assert calls_of([], ALL, environ=XTERM) == ""


def test_it_rings_once_and_sends_a_few_notifications_at_most() -> None:
    many = [replace(SLOW, key=str(n), text=f"incident {n}") for n in range(9)]
    said = calls_of(many, Calls(bell=True, osc=(9,)), environ=XTERM)
    assert said == "\a" + "".join(
        f"\x1b]9;infertop: {text}\x1b\\"
        for text in ("incident 0", "incident 1", "incident 2", "6 more: see the events page")
    )


def test_each_kind_has_its_own_form() -> None:
    text = "a, b"
    event = replace(SLOW, text="a; b")
    assert calls_of([event], Calls(osc=(9,)), environ=XTERM) == f"\x1b]9;infertop: {text}\x1b\\"
    assert calls_of([event], Calls(osc=(777,)), environ=XTERM) == f"\x1b]777;notify;infertop;{text}\x1b\\"


@pytest.mark.parametrize("environ", [{"TERM": "tmux-256color"}, {"TERM": "screen-256color", "TMUX": "/tmp/x,1,0"}])
def test_tmux_is_asked_to_pass_it_on(environ: dict[str, str]) -> None:
    event = replace(SLOW, text="a")
    passed = "\x1bPtmux;\x1b\x1b]9;infertop: a\x1b\x1b\\\x1b\\"
    assert calls_of([event], Calls(osc=(9,)), environ=environ) == passed


@pytest.mark.parametrize("term", ["", "dumb", "linux", "vt220", "screen", "screen-256color", "cons25"])
def test_terminals_that_would_print_it_get_the_bell_alone(term: str) -> None:
    assert calls_of([OPENED], ALL, environ={"TERM": term}) == "\a"


@given(st.text(max_size=400), st.booleans())
def test_whatever_an_event_says_nothing_of_it_is_a_control_character(text: str, ascii: bool) -> None:
    said = calls_of([replace(SLOW, text=text)], Calls(osc=(777,)), ascii=ascii, environ=XTERM)
    found = re.fullmatch(r"\x1b\]777;notify;infertop;([^;\x1b\x07]*)\x1b\\", said)
    assert found is not None
    assert found[1].isprintable()
    assert len(found[1]) <= 200
    assert found[1].isascii() or not ascii


def strings(terminal: Terminal) -> list[bytes]:
    found = [each[0] for each in ESCAPE.finditer(bytes(terminal.out)) if each[0][1:2] in b"]P^_X"]
    return [each for each in found if not each.startswith(b"\x1b]22;")]


def run(*words: str, **environ: str) -> tuple[list[bytes], int]:
    """Return the control strings that reached a terminal, and how often it rang."""
    terminal = Terminal("calling", *words, **environ)
    assert terminal.read(lambda: "(+2, see 6)" in terminal.text), terminal.text
    terminal.settle(0.3, 3)
    terminal.press("q")
    assert terminal.close() == 0
    return strings(terminal), ESCAPE.sub(b"", bytes(terminal.out)).count(b"\a")


def test_in_a_terminal_it_is_sent_once_and_harms_nothing() -> None:
    found, rings = run("--bell", "--osc=9", "--osc=777", LANG="C.UTF-8")
    assert [each[:8] for each in found] == [b"\x1b]9;infe", b"\x1b]777;no"]
    assert rings == 1


def test_in_a_terminal_nothing_is_sent_that_nobody_asked_for() -> None:
    assert run() == ([], 0)
