"""The text for chats: nobody is woken, linked or misled by a name that somebody chose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infertop.alerts.form import alert_of, summary_of, trial
from infertop.alerts.slack import message, plain
from tests.alerts.events import CAUSE, TS, alert, budget


def test_an_incident_in_a_few_lines_the_largest_effects_first() -> None:
    assert message(alert())["text"].split("\n") == [
        "*infertop ALARM* on gpubox: gpt-4o: 6.48 $/h, 2.50 expected",
        CAUSE.replace(">", "&gt;"),
        "• prompt tokens per request of gpt-4o: +2.03 $/h",
        "• output tokens per request of gpt-4o: +1.10 $/h",
        "• volume: +0.90 $/h",
        "0.66 $ beyond the expected since 14:13 UTC",
    ]


def test_a_budget_an_end_and_a_test_are_told_apart() -> None:
    said = alert_of("b", budget(), "opened", "h")
    assert message(said) == {"text": "*infertop warning* on h: all: 80.00 of 100 USD a day spent (80%)"}
    assert message(alert("closed", state="closed"))["text"].startswith("*infertop all clear* on gpubox: ")
    assert message(trial(TS, "h"))["text"].startswith("*infertop test* on h: ")


def test_a_summary_has_a_line_for_each() -> None:
    parts = [alert(), alert_of("b", budget(), "opened", "h")]
    lines = message(summary_of("s", parts))["text"].split("\n")
    assert len(lines) == 3
    assert lines[1].startswith("• ALARM, 14:13 UTC: gpt-4o: 6.48 $/h, 2.50 expected - 2.6x: ")
    assert lines[2] == "• warning, 14:13 UTC: all: 80.00 of 100 USD a day spent (80%)"


def test_a_text_that_is_too_long_is_cut_at_a_line_and_says_so() -> None:
    parts = [alert(text="x" * 900) for _ in range(100)]
    text = message(summary_of("s", parts))["text"]
    assert len(text) < 12_100
    assert text.endswith(
        "x" * 10 + " - " + CAUSE.replace(">", "&gt;") + "\n… and more: infertop's events have them all"
    )


def test_nobody_is_mentioned_and_nothing_is_a_link() -> None:
    said = message(alert(text="<!channel> <https://evil|click> @here @Everyone @channel vllm@127.0.0.1:8000"))["text"]
    assert "<" not in said
    assert "://" not in said
    for word in ("@here", "@Everyone", "@channel"):
        assert word not in said
    assert "@alice" not in message(alert(text="key @alice"))["text"]
    assert "vllm@127.0.0.1:8000" in said


@given(st.text())
def test_no_text_has_an_angle_bracket_or_a_bare_ampersand_left(text: str) -> None:
    said = plain(text)
    assert "<" not in said
    assert ">" not in said
    assert said.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0
