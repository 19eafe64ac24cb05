"""The page of the first start: what was looked for, and what to do."""

from dataclasses import replace

from infertop.views.shapes import Searched
from tests.tui import sample
from tests.tui.drawn import desk, lines, text


def test_the_first_start_says_what_was_looked_for_and_what_to_do():
    screen = text(desk(sample.EMPTY))
    assert "infertop looked for:" in screen
    assert "NVML library: not found (no NVIDIA driver on this machine)" in screen
    assert "infertop --source vllm=http://HOST:8000" in screen
    assert "press d for the demo" in screen
    assert "d demo" in screen


def test_the_first_start_gives_way_as_soon_as_a_source_appears():
    made = desk(sample.EMPTY)
    made.feed.view = replace(sample.EMPTY, sources=sample.SOURCES[1:2])
    made.tick()
    screen = text(made)
    assert "infertop looked for" not in screen
    assert "no model has been seen yet" in screen
    assert "no GPU: not found (no NVIDIA driver on this machine)" in screen


def test_before_anything_was_looked_for_it_says_that_it_is_looking():
    assert "looking for GPUs, engines and provider keys" in text(desk(replace(sample.EMPTY, searched=())))


def test_the_first_start_has_a_cursor_that_answers_every_arrow():
    made = desk(sample.EMPTY)

    def marked():
        return [n for n, line in enumerate(lines(made)) if line.startswith("▌")]

    (before,) = marked()
    made.move(1)
    assert marked() == [before + 1]
    made.open()
    assert "type it" in text(made)


def test_a_long_list_of_keys_leaves_room_for_what_to_do_next():
    keys = Searched("providers", " ".join(f"PROVIDER_{n:02}_ADMIN_KEY" for n in range(22)), "not set")
    folders = Searched("agents", ", ".join(f"~/.agent-{n}/sessions" for n in range(6)), "not found")
    others = tuple(
        Searched("engines", "", "no engine answers on this machine: start one, or name it") for _ in range(5)
    )
    screen = text(desk(replace(sample.EMPTY, searched=(*others, folders, keys))))
    assert "PROVIDER_03_ADMIN_KEY and 18 more: not set" in " ".join(screen.split())
    assert "~/.agent-3/sessions and 2 more: not found" in " ".join(screen.split())
    assert "Ask what is wrong:" in screen
    assert "more lines" not in screen


def test_a_sentence_of_many_words_is_no_list_of_names():
    engines = Searched("engines", "listening ports: 1, processes: 93", "start one, or name it")
    assert "listening ports: 1, processes: 93: start one" in text(desk(replace(sample.EMPTY, searched=(engines,))))
