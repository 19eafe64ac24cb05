"""What must not be missed: what has no price, who records, where the cursor is, every line of an explanation."""

from dataclasses import replace

import pytest

from infertop.views.shapes import Explained
from tests.tui import sample
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look
from tui.panels.headline import split_line, title_line


def desk(view=sample.RICH, size=(80, 24)) -> Desk:
    made = Desk(PlayFeed(view), Look())
    made.paint(*size)
    return made


def text(made: Desk, size=(80, 24)) -> str:
    return "\n".join(row.text for row in made.paint(*size))


def head(**known):
    return replace(sample.RICH, headline=replace(sample.HEADLINE, **known))


UNPRICED = head(unpriced=1, unpriced_models=2, unpriced_tokens=1_234_567)


def test_what_has_no_price_is_told_by_models_tokens_and_gpus_with_what_to_do():
    wide = split_line(desk(UNPRICED).scene, 200).text
    assert "! unpriced: 2 models (1.23M tokens today), 1 GPU: infertop prices --unpriced" in wide
    assert "! unpriced: 1 GPU: infertop prices --unpriced" in split_line(desk().scene, 140).text


@pytest.mark.parametrize("width", [80, 100, 140])
def test_narrow_screens_say_it_shorter_and_still_how_many(width):
    assert "3 unpriced" in (line := split_line(desk(UNPRICED).scene, width).text) or "unpriced: 2 models" in line


def test_where_everything_has_a_price_nothing_is_said_of_it():
    made = desk(head(unpriced=0))
    assert "unpriced" not in text(made, (200, 60))
    made.explain()
    assert "in no figure in $" not in text(made, (200, 60))


def test_help_says_what_has_no_price_and_what_to_do():
    made = desk(UNPRICED)
    made.explain()
    screen = " ".join(text(made, (80, 60)).split())
    assert "2 models (1.23M tokens today) and 1 GPU: counted, and in no figure in $" in screen
    assert "infertop prices --unpriced lists models" in screen


def test_the_cursor_waits_for_the_models_while_nobody_has_moved_it():
    made = desk(replace(sample.RICH, models=(), gpus=(), headline=replace(sample.HEADLINE, unheld_usd_per_hour=None)))
    text(made, (140, 40))
    assert made.choices.panel != "models"
    made.feed.view = sample.RICH
    made.tick()
    assert "▌llama-3-70b" in text(made, (140, 40))


def test_a_cursor_that_was_moved_stays_where_it_is():
    made = desk(replace(sample.RICH, models=(), headline=replace(sample.HEADLINE, unheld_usd_per_hour=None)))
    text(made)
    made.move(1)
    made.feed.view = sample.RICH
    made.tick()
    assert "▌1 H100" in text(made)


@pytest.mark.parametrize("width", [80, 110, 140])
@pytest.mark.parametrize(
    ("recorder", "told"),
    [
        ("recorded by process 4312", "viewer: recorded by process 4312"),
        ("the recorder is gone; what is shown ends with its last tick", "viewer: the recorder is gone"),
    ],
)
def test_who_records_is_told_in_whole_words_at_every_width(width, recorder, told):
    view = replace(sample.RICH, mode="viewer", recorder=recorder)
    line = title_line(desk(view).scene, width).text
    assert told in line
    assert "…" not in line
    assert "what is shown ends with its last tick" not in line or width > 110


class Talkative(PlayFeed):
    def explain(self, panel: str, key: str, column: str) -> Explained:
        if column != "usd_per_hour" or panel == "headline":
            return Explained("", ())
        long = " ".join(f"word{n}" for n in range(300))
        return Explained("$/h  4.98", ("= the formula", long, *(f"input {n}" for n in range(40)), "the last line"))


def test_every_line_of_an_explanation_can_be_read_at_80x24():
    made = Desk(Talkative(), Look())
    made.paint(80, 24)
    made.explain()
    seen = set()
    for _ in range(200):
        seen |= {row.text.strip() for row in made.paint(80, 24)}
        made.move(1)
    words = " ".join(seen)
    assert all(f"word{n}" in words.split() for n in range(300))
    assert all(f"input {n}" in seen for n in range(40))
    assert "the last line" in seen
    assert "… " not in words


def test_a_budget_that_is_over_stands_before_those_that_are_not():
    screen = text(desk()).split("\n")
    (heading,) = [n for n, line in enumerate(screen) if line.startswith(" BUDGET")]
    assert screen[heading + 1].startswith(" research")


def test_before_anything_was_averaged_no_average_is_told():
    assert "avg" not in title_line(desk(replace(sample.EMPTY, window_seconds=0.0)).scene, 140).text
    assert "avg 5 min" in title_line(desk().scene, 140).text


def test_a_clock_of_which_nothing_is_told_is_not_called_free():
    made = desk()
    made.view_page(3)
    assert "held down by     unknown: NVML does not tell" in text(made, (80, 40))


def held_down(**changes):
    """A machine with one GPU that is held back."""
    held = replace(sample.GPUS[2], throttled="power cap, hw thermal", **changes)
    return desk(replace(sample.RICH, gpus=(held,)))


def test_a_gpu_that_is_held_down_is_marked_beside_its_power_where_there_is_no_room_to_say_by_what():
    small, wide = text(held_down(), (80, 24)), text(held_down(), (140, 40))
    assert "694!" in small
    assert "694!" in wide
    assert "power cap, hw thermal" in wide
    assert "694!" not in text(desk(replace(sample.RICH, gpus=(sample.GPUS[0],))), (80, 24))


def test_the_page_of_gpus_says_what_holds_one_down_and_what_that_means():
    made = held_down()
    made.view_page(3)
    assert "held down by     power cap: it draws what its power limit allows" in text(made, (80, 24))


def test_the_page_of_gpus_lists_the_processes_on_one():
    made = held_down()
    made.view_page(3)
    screen = text(made, (80, 40))
    assert "4242  serve        76.5 GiB  SM  97 %  VLLM::EngineCore" in screen
    assert "4243  -               - GiB  SM     -  -" in screen


def test_a_mig_instance_is_known_by_its_profile_and_has_its_part_of_the_power():
    whole = replace(sample.GPUS[5], instances=1, uuid="GPU-5")
    part = replace(
        sample.GPUS[5],
        uuid="MIG-1",
        index="5:0",
        name="NVIDIA A100-SXM4-40GB MIG 3g.20gb",
        parent="GPU-5",
        power_watts=None,
        power_share_watts=140.1,
        slices=(3, 7),
    )
    made = desk(replace(sample.RICH, gpus=(part, whole)))
    made.view_page(3)
    screen = text(made, (80, 40))
    assert " 5:0 MIG 3g.20gb " in screen
    assert "140 W, its part of what its GPU draws, 3 of 7 slices" in screen
    assert "MIG instance of  GPU-5" in screen


def test_another_machines_gpu_is_named_with_its_machine_and_without_its_packaging():
    far = replace(sample.GPUS[5], index="node1:1", name="NVIDIA A100-SXM4-40GB", meter="DCGM", power_limit_watts=None)
    made = desk(replace(sample.RICH, gpus=(far,)))
    made.view_page(3)
    screen = text(made, (80, 24))
    assert "node1:1 A100 " in screen
    assert "power            327 W," in screen


def test_a_gpu_that_nothing_holds_down_says_so_and_one_that_does_not_tell_does_not():
    free, silent = replace(sample.GPUS[0], throttle_notes=()), replace(sample.GPUS[1], uuid="GPU-1")
    lines = text(desk(replace(sample.RICH, gpus=(free, silent))), (140, 40)).split("\n")
    (first,) = [line for line in lines if line.startswith(" 0 H100")]
    (second,) = [line for line in lines if line.startswith(" 1 H100")]
    assert " nothing " in first
    assert " nothing " not in second
