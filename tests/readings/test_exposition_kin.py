"""Targets that share the shapes of their pages: what each reads is what it would have read alone."""

import gc
import random

import pytest

from infertop.readings.exposition import Exposition
from infertop.readings.exposition_kin import Kin
from infertop.readings.mapping import Rule, Table, plan_for
from tests.readings.reference import alone, said
from tests.readings.test_exposition_fuzz import WANTED, head, mutate
from tests.recordings import PAYLOADS

PAGE = b'a{x="1"} 1\nz 5\na{x="2"} 2\n'
TABLE = Table(rules=(Rule("running", ("a",)),), rank_labels=("x",))


def test_pages_that_differ_in_numbers_alone_have_one_layout():
    kin = Kin()
    one, other = Exposition(["a"], kin), Exposition(["a"], kin)
    first, second = one.parse(PAGE), other.parse(PAGE.replace(b"} 1", b"} 7").replace(b"z 5", b"z 50"))
    assert second.layout is first.layout
    assert (first.values, second.values) == ([1, 2], [7, 2])


def test_targets_that_read_a_layout_alike_have_one_plan_and_the_same_series():
    kin = Kin()
    readers = [Exposition(["a"], kin) for _ in range(2)]
    layouts = [reader.parse(PAGE).layout for reader in readers]
    plans = [plan_for(table, layout, None, None) for table in (TABLE, TABLE.scaled((), 2.0)) for layout in layouts]
    assert len({id(plan) for plan in plans}) == 1
    assert plan_for(TABLE.scaled(("running",), 2.0), layouts[0], None, None) is not plans[0]
    assert plan_for(TABLE, layouts[0], "m", None) is not plans[0]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(PAGE.replace(b'x="2"', b'x="3"'), id="other labels"),
        pytest.param(PAGE.replace(b"z 5", b"a 5"), id="a wanted line where an unwanted one was"),
        pytest.param(PAGE.replace(b"z 5", b"a x"), id="a broken line where an unwanted one was"),
        pytest.param(PAGE.replace(b"z 5", b'a{x="1"} 3'), id="a double where an unwanted line was"),
        pytest.param(PAGE.replace(b"z 5\n", b""), id="a line less"),
    ],
)
def test_page_of_another_shape_is_read_for_itself(page):
    kin = Kin()
    reader = Exposition(["a"], kin)
    reader.parse(PAGE)
    other = Exposition(["a"], kin).parse(page)
    assert said(other) == said(alone(["a"]).parse(page))
    assert other.layout is not reader.parse(PAGE).layout


def test_shape_is_taken_only_by_those_who_want_the_same():
    kin = Kin()
    reader = Exposition(["a"], kin)
    reader.parse(PAGE)
    assert said(Exposition(["a", "z"], kin).parse(PAGE)) == said(alone(["a", "z"]).parse(PAGE))


def test_series_that_only_moved_keep_their_order_although_another_target_has_that_page():
    kin = Kin()
    moved = b"".join(reversed(PAGE.splitlines(keepends=True)))
    one, other = Exposition(["a"], kin), Exposition(["a"], kin)
    other.parse(moved)
    before = one.parse(PAGE)
    assert one.parse(moved).layout is before.layout


def test_replicas_that_change_alike_go_on_sharing():
    kin = Kin()
    readers = [Exposition(["a"], kin) for _ in range(3)]
    for page in (PAGE, PAGE + b'a{x="4"} 9\n', b"# HELP a\n" + PAGE):
        assert len({id(reader.parse(page).layout) for reader in readers}) == 1


def test_shape_that_nobody_has_any_more_is_let_go_of():
    kin, lines = Kin(), PAGE.splitlines()
    reader = Exposition(None, kin)
    reader.parse(PAGE)
    assert len(list(kin.like(None, lines))) == 1
    del reader
    gc.collect()
    assert not list(kin.like(None, lines))


@pytest.mark.parametrize("wanted", [None, WANTED], ids=["everything", "some families"])
def test_crowd_of_targets_reads_what_each_would_alone(wanted):
    dice = random.Random(11)
    kin, pages = Kin(), [head(PAYLOADS / "vllm/0.33.0.txt")] * 4
    readers = [Exposition(wanted, kin) for _ in range(12)]
    for _ in range(150):
        at = dice.randrange(len(pages))
        pages[at] = pages[0] if dice.randrange(6) == 0 else mutate(pages[at], dice) or pages[0]
        reader, page = dice.choice(readers), dice.choice(pages)
        assert said(reader.parse(page)) == said(alone(wanted).parse(page))
