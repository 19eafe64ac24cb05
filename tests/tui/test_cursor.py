"""Where the cursor of a list stands, whatever happens to the list."""

from tui.choices import Cursor


def test_the_cursor_follows_its_row_when_the_list_is_sorted_anew():
    cursor = Cursor()
    cursor.move(["a", "b", "c"], 1)
    cursor.settle(["c", "b", "a", "x"])
    assert (cursor.key, cursor.index) == ("b", 1)
    cursor.settle(["x", "c", "b"])
    assert (cursor.key, cursor.index) == ("b", 2)
    cursor.settle(["x", "c"])
    assert (cursor.key, cursor.index) == ("c", 1)
    cursor.settle([])
    assert cursor.key == ""


def test_the_cursor_stays_on_the_first_row_until_somebody_moves_it():
    cursor = Cursor()
    cursor.settle(["budget", "news"])
    cursor.settle(["incident", "budget", "news"])
    assert (cursor.key, cursor.index) == ("incident", 0)
    cursor.move(["incident", "budget", "news"], 1)
    cursor.settle(["another", "incident", "budget", "news"])
    assert (cursor.key, cursor.index) == ("budget", 2)
    cursor.move(["another", "incident", "budget", "news"], -2)
    cursor.settle(["news", "another"])
    assert cursor.key == "another"
