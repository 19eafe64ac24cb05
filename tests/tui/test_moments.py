import math

from tests.tui.sample import AT
from tui import moments

BERLIN = "Europe/Berlin"


def test_a_moment_is_as_exact_as_its_distance_needs():
    assert moments.when(AT + 3600, AT, BERLIN) == "05:30"
    assert moments.when(AT + 86_400, AT, BERLIN) == "Mon 04:30"
    assert moments.when(AT + 7 * 86_400, AT, BERLIN) == "Sun 29 Nov"
    assert moments.when(AT + 300 * 86_400, AT, BERLIN) == "18 Sep 2027"


def test_times_are_in_the_time_zone_of_the_budgets():
    assert moments.stamp(AT, BERLIN) == "Sun 04:30 CET"
    assert moments.stamp(AT, "UTC") == "Sun 03:30 UTC"
    assert moments.clock(AT, BERLIN) == "04:30"
    assert moments.exact(AT + 12, BERLIN) == "04:30:12"


def test_a_zone_that_the_machine_does_not_have_falls_back_to_utc():
    assert moments.stamp(AT, "Nowhere/Land") == "Sun 03:30 UTC"
    assert moments.stamp(AT, "../etc/passwd") == "Sun 03:30 UTC"


def test_a_moment_that_is_no_date_is_unknown():
    for ts in (None, math.nan, math.inf, 1e300, -1e300):
        assert moments.when(ts, AT, BERLIN) == "-"
        assert moments.clock(ts, BERLIN) == "-"
