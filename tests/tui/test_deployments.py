"""Deployments on the overview: only where some are declared, beside the rest, and explained."""

from dataclasses import replace

import pytest

from tests.tui import sample
from tests.tui.play import PlayFeed
from tests.tui.sample_deployments import MODAL, NIGHTLY, PTU
from tui.desk import Desk
from tui.look import Look
from tui.panels.deployments import marked_bar
from tui.themes import Shades

VIEW = replace(sample.RICH, deployments=(PTU, MODAL, NIGHTLY))


def desk(view=VIEW, size=(80, 24), **look) -> Desk:
    made = Desk(PlayFeed(view), Look(**look))
    made.paint(*size)
    return made


def text(made: Desk, size=(80, 24)) -> str:
    return "\n".join(row.text for row in made.paint(*size))


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (200, 60)])
def test_they_are_on_the_overview_only_where_some_are_declared(size):
    assert "DEPLOYMENT" in text(desk(), size)
    assert "DEPLOYMENT" not in text(desk(sample.RICH), size)


def test_80x24_keeps_models_gpus_and_a_budget_beside_them():
    screen = text(desk())
    for said in ("llama-3-70b", "0 H100 80GB HBM3", "everything", "gpt-4o ptu", "50.00", "25 %", "60 %"):
        assert said in screen, said


def test_where_some_do_not_fit_the_title_says_how_many_there_are():
    assert " DEPLOYMENT 1/3 " in text(desk())
    assert "DEPLOYMENT 1/3" not in text(desk(), (140, 40))
    assert "pricing.toml:40" in text(desk(), (140, 40))


def test_wide_screens_show_all_of_them_with_what_they_cost_and_whether_they_pay():
    rows = text(desk(), (200, 60)).split("\n")
    ptu, modal, nightly = (next(r for r in rows if r[1:].startswith(name)) for name in ("gpt-4o p", "modal", "nightly"))
    assert "▲ dearer than pay as you go until 60 % are used" in ptu
    assert "~50.00" in modal
    assert "beside" in modal
    assert "▼ cheaper than a dedicated H100 below 70 % use" in modal
    assert "0.00" not in nightly


def test_the_bar_has_a_mark_where_it_begins_to_pay():
    assert marked_bar(PTU, 10) == "━━╸   │"
    assert marked_bar(MODAL, 10) == "━━━━━  │"
    assert marked_bar(replace(PTU, utilization=0.7, break_even=0.5), 10) == "━━━━━│━"
    assert marked_bar(replace(PTU, break_even=1.4), 10) == "━━╸      ›"
    assert marked_bar(NIGHTLY, 10) == ""
    assert marked_bar(replace(PTU, break_even=None), 10) == "━━╸"


def test_enter_explains_the_one_under_the_cursor():
    made = desk(size=(140, 40))
    made.choices.panel = "deployments"
    made.paint(140, 40)
    made.open()
    screen = " ".join(text(made, (80, 60)).split())
    for said in (
        "deployments › gpt-4o ptu › explained",
        "dearer than pay as you go until 60 % are used",
        "= 50 units x $1.00/h",
        "6 M tokens in the last hour of 24 M reserved",
        "break-even at 60 % against list gpt-4o",
        "it is part of what is spent",
    ):
        assert said in screen, said


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (200, 60), (20, 5)])
def test_hostile_names_and_plain_terminals_are_no_trouble(size):
    rows = tuple(
        replace(PTU, name=name, kind=name, model=name, verdict=name, lines=(name,), against=name, price_source=name)
        for name in sample.HOSTILE_NAMES
    )
    made = desk(replace(sample.HOSTILE, deployments=rows), size, shades=Shades.BARE, ascii=True)
    drawn = [made.look.finish(row) for row in made.paint(*size)]
    assert all(row.text.isascii() and len(row.text) == size[0] for row in drawn)
