import math

import pytest

from infertop.readings.throttle import REASONS, reasons, throttles


def test_every_bit_has_one_word_and_a_meaning():
    assert len({each.bit for each in REASONS}) == len({each.word for each in REASONS}) == len(REASONS)
    assert all(each.bit.bit_count() == 1 and each.meaning for each in REASONS)
    assert all(float(each.bit) == each.bit for each in REASONS)  # the tape holds them as floats


def test_what_holds_a_busy_gpu_back_is_told_from_why_an_idle_one_is_slow():
    assert throttles(float(0x1 | 0x2 | 0x10 | 0x100)) == ()
    assert [each.word for each in reasons(3.0)] == ["idle", "application clocks"]
    assert throttles(float(0x4 | 0x8 | 0x20 | 0x40 | 0x80)) == (
        "power cap",
        "hw slowdown",
        "sw thermal",
        "hw thermal",
        "hw power brake",
    )


@pytest.mark.parametrize("bits", [None, -1.0, math.nan, math.inf, 2.0**60])
def test_what_is_no_set_of_bits_says_nothing(bits):
    assert reasons(bits) == ()
