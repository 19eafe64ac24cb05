"""The page of providers: accounts, the spend by who used it, bills by day, and what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.views.account_shapes import PartRow
from tests.tui import sample, sample_accounts, sample_incidents
from tests.tui.play import PlayFeed
from tui.choices import PARTS
from tui.desk import Desk
from tui.look import Look
from tui.screens.overview import VIEWS
from tui.terminal import shades
from tui.widgets.cells import FILL

WIDE = (160, 50)


def desk(made=sample_accounts.PAGE, size=(80, 24), view=sample.RICH) -> Desk:
    feed = PlayFeed(view)
    feed.reckoned = made
    made_desk = Desk(feed, Look(shades(color=False)))
    made_desk.view_page(9)
    made_desk.paint(*size)
    return made_desk


def text(made: Desk, size=(80, 24)) -> str:
    return "\n".join(row.text for row in made.paint(*size))


def lines(made: Desk, word: str, size=(80, 24)) -> list[str]:
    return [line for line in text(made, size).splitlines() if word in line]


def feed(made: Desk) -> PlayFeed:
    assert isinstance(made.feed, PlayFeed)
    return made.feed


def test_what_was_charged_is_not_marked_as_computed() -> None:
    charged = replace(sample_accounts.OPENAI, charged=frozenset({"usd_per_hour", "today_usd"}))
    made = desk(replace(sample_accounts.PAGE, accounts=(charged,)), WIDE)
    row = lines(made, "openai  ", WIDE)[0]
    assert [word for word in (" 43.38", " 463.91", "~415.80") if word not in row] == []


def test_an_account_has_its_spend_its_age_and_how_far_its_bills_are_off() -> None:
    made = desk()
    row = lines(made, "openai  ")[0]
    assert [word for word in ("~43.38", "~463.91", "4 118", "3 702", "11 min", "● up") if word not in row] == []
    wide = lines(made, "openai  ", WIDE)[0]
    assert [word for word in ("~415.80", "+30.00", "<1 %") if word not in wide] == []


def test_what_is_not_known_is_a_dash_and_what_only_attributes_is_marked_and_last() -> None:
    shown = lines(desk(), "", WIDE)
    at = {name: next(n for n, line in enumerate(shown) if name in line) for name in ("openai", "deepseek", "claude-c")}
    assert at["openai"] < at["deepseek"] < at["claude-c"]
    assert shown[at["deepseek"]].split()[1:4] == ["-", "-", "-"]
    assert "● up *" in shown[at["claude-c"]]


def test_the_newest_days_say_what_was_billed_and_computed_and_when_they_settle() -> None:
    shown = lines(desk(), "Nov ")
    assert "40.00    61.20   -21.20  -35 %" in shown[0]
    assert "settles" in shown[0]
    assert "settled" in shown[2]
    assert "1.50" in shown[2]


def test_g_divides_by_model_key_project_user_and_team_in_turn() -> None:
    made = desk()
    seen = []
    for _ in PARTS:
        made.group()
        seen.append((feed(made).divided[-1][0], made.choices.message))
    assert seen == [(by, f"by {by}") for by in ("key", "project", "user", "team", "model")]
    made.group()
    assert "BY KEY" in text(made)


def test_enter_goes_into_an_account_and_a_part_and_esc_comes_back() -> None:
    made = desk()
    made.open()
    assert feed(made).divided[-1] == ("model", (("source", "openai"),))
    made.paint(80, 24)
    made.move(1)
    made.open()
    assert feed(made).divided[-1] == ("key", (("source", "openai"), ("model", "gpt-4o")))
    assert "providers › openai › gpt-4o" in text(made)
    made.back()
    assert feed(made).divided[-1] == ("model", (("source", "openai"),))
    made.back()
    made.back()
    assert made.page is VIEWS[0]


def test_a_part_that_an_open_incident_is_about_is_marked() -> None:
    marked = lines(desk(view=sample_incidents.VIEW), "gpt-4o !")
    assert len(marked) == 1
    assert lines(desk(), "gpt-4o !") == []


def test_p_opens_and_leaves_it() -> None:
    made = Desk(PlayFeed(), Look(shades(color=False)))
    made.accounts()
    assert "BY MODEL" in text(made)
    made.accounts()
    assert "BY MODEL" not in text(made)


def test_tokens_and_calls_that_are_not_told_are_dashes() -> None:
    dollars = PartRow("grok-4", "model", 1.0, 2.0, 3.0, 0.5, None, None)
    (row,) = lines(desk(replace(sample_accounts.PAGE, parts=(dollars,)), WIDE), "grok-4", WIDE)
    assert row.split()[-2:] == ["-", "-"]


def test_a_filter_is_over_the_parts() -> None:
    made = desk()
    made.filter()
    for character in "mini":
        made.typed(character, character)
    assert "1 of 5" in text(made)
    assert lines(made, "gpt-4.1") == []


def test_sorting_goes_round() -> None:
    made = desk()
    made.panel(1)
    heard = []
    for _ in range(5):
        made.sort()
        heard.append(made.choices.message)
    assert heard == ["by $/h", "by today", "by tokens", "by BY MODEL", "by month"]


def test_a_question_mark_tells_how_a_row_was_come_by() -> None:
    made = desk()
    made.explain()
    assert "= 4240 - 4210 = 30 USD" in text(made, WIDE)
    made.back()
    made.paint(80, 24)
    made.panel(1)
    made.explain()
    assert "share = 1 / 2 = 0.5" in text(made, WIDE)


def test_the_share_of_spend_that_nobody_is_given_is_shown() -> None:
    shown = text(desk(), WIDE)
    assert "GIVEN TO NOBODY" in shown
    assert "no team                            42 %" in shown


def test_what_is_said_of_an_account_follows_the_cursor() -> None:
    made = desk(size=(120, 50))
    assert "code interpreter sessions $31.50" in text(made, (120, 50))
    made.move(1)
    shown = text(made, (120, 50))
    assert "110 CNY topped up, as deepseek says" in shown
    assert "code interpreter" not in shown


def test_before_it_is_read_and_with_nothing_to_read_it_says_so() -> None:
    waiting = desk(None)
    assert waiting.waiting
    assert "the history is being read" in text(waiting)
    assert "no provider or agent is read" in text(desk(sample_accounts.NOTHING))


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (200, 60), (40, 12), (20, 5), (3, 2)])
def test_it_fits_every_terminal_and_names_do_no_harm(size: tuple[int, int]) -> None:
    for made in (desk(size=size), desk(sample_accounts.HOSTILE, size, sample.HOSTILE)):
        for _ in range(3):
            rows = made.paint(*size)
            assert [len(row.text) for row in rows] == [size[0]] * size[1]
            assert not [c for row in rows for c in row.text.replace(FILL, "") if ord(c) < 32 or 0x7F <= ord(c) < 0xA0]
            made.open()


def test_what_providers_told_late_has_its_age_in_the_headline_and_is_marked_under_the_chart() -> None:
    old = replace(sample.RICH, headline=replace(sample.RICH.headline, api_age_seconds=640.0))
    made = Desk(PlayFeed(old), Look(shades(color=False)))
    rows = text(made, (140, 40)).splitlines()
    assert any("api ~" in row and " 11 min old" in row for row in rows[:3])
    (axis,) = (row for row in rows if row.rstrip().endswith("now") and ":" in row)
    assert "~~" in axis
    fresh = Desk(PlayFeed(), Look(shades(color=False)))
    assert "~~" not in text(fresh, (140, 40))
