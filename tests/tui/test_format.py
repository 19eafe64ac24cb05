import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import format as fmt

SCALES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
FIGURES = (fmt.money, fmt.unit_money, fmt.per_million, fmt.rate, fmt.count, fmt.seconds)
numbers = st.floats(allow_nan=False, allow_infinity=False)


def read(text: str) -> float:
    text = text.replace(" ", "")
    scale = SCALES.get(text[-1], 1.0)
    return float(text.rstrip("kMGT")) * scale


@pytest.mark.parametrize("figure", [*FIGURES, fmt.millis, fmt.percent, fmt.span])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_unknown_and_never_0(figure, value):
    assert figure(value) == "-"


@pytest.mark.parametrize("figure", FIGURES)
@given(value=numbers)
def test_a_figure_is_at_most_8_characters(figure, value):
    text = figure(value)
    assert len(text) <= 8
    assert not any(letter in text for letter in ("nan", "inf", "+", ","))


@pytest.mark.parametrize("figure", FIGURES)
@given(value=st.floats(min_value=-1e90, max_value=1e90))
def test_a_figure_reads_back_as_the_number_it_stands_for(figure, value):
    text = figure(value)
    assert read(text) == pytest.approx(value, rel=0.051, abs=0.0051 if figure is not fmt.count else 0.51)


@pytest.mark.parametrize("figure", FIGURES)
@given(value=st.floats(min_value=1e-300, max_value=0.99))
def test_a_small_amount_never_looks_like_nothing(figure, value):
    assert read(figure(value)) > 0


@pytest.mark.parametrize("figure", FIGURES)
@given(value=st.floats(min_value=0, max_value=1e14), more=st.floats(min_value=1.0, max_value=10.0))
def test_a_larger_number_never_reads_smaller(figure, value, more):
    assert read(figure(value * more)) >= read(figure(value))


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [
        (fmt.money, 4.98, "4.98"),
        (fmt.money, 12.561, "12.56"),
        (fmt.money, 4118.2, "4 118"),
        (fmt.money, 99_999, "99 999"),
        (fmt.money, 1.23e6, "1.23M"),
        (fmt.money, 0.0, "0.00"),
        (fmt.money, -0.0, "0.00"),
        (fmt.money, -8.1, "-8.10"),
        (fmt.money, 1e300, "1e300"),
        (fmt.unit_money, 0.00041, ".00041"),
        (fmt.unit_money, 0.00007, ".000070"),
        (fmt.unit_money, 0.01806, ".01806"),
        (fmt.unit_money, 1.5, "1.50"),
        (fmt.per_million, 0.472, "0.472"),
        (fmt.rate, 3.4, "3.40"),
        (fmt.rate, 0.0012, ".0012"),
        (fmt.rate, 0, "0.00"),
        (fmt.count, 2930, "2 930"),
        (fmt.count, 523.4, "523"),
        (fmt.count, 46_938, "46.9k"),
        (fmt.count, 3, "3"),
        (fmt.count, 9.999e8, "1.00G"),
        (fmt.seconds, 0.021, ".021"),
        (fmt.seconds, 12.34, "12.3"),
        (fmt.millis, 0.0219, "21.9"),
        (fmt.percent, 0.83, "83 %"),
        (fmt.percent, 0.002, "<1 %"),
        (fmt.percent, 0.0, "0 %"),
        (fmt.span, 0.43, "0.4 s"),
        (fmt.span, 42.2, "42 s"),
        (fmt.span, 300, "5 min"),
        (fmt.span, 3600, "1 h"),
        (fmt.span, 5400, "90 min"),
    ],
)
def test_figures_look_as_on_the_sketches(figure, value, text):
    assert figure(value) == text


def test_a_quantile_in_an_open_bucket_is_shown_as_beyond_its_bound():
    assert fmt.quantile((None, None, 0.3)) == "<0.3"
    assert fmt.quantile((60.0, None, None)) == ">60"
    assert fmt.quantile((None, None, None)) == "-"
    assert fmt.quantile((0.01, 0.0219, 0.05), in_millis=True) == "21.9"
    assert fmt.bracket((0.25, 0.4, 0.5)) == "0.40 (0.25-0.5)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.50"), (20.0, "20"), (8000.0, "8 000"), (50_000.0, "50k"), (1.2e6, "1.2M"), (math.inf, "-")],
)
def test_a_scale_has_round_numbers(value, text):
    assert fmt.scale(value) == text


def test_memory_names_what_is_unknown():
    assert fmt.gigabytes(71 * 2**30, 80 * 2**30) == "71/80"
    assert fmt.gigabytes(None, 80 * 2**30) == "-/80"
    assert fmt.gigabytes(None, None) == "-"


def test_a_forecast_is_its_middle_and_half_its_width():
    assert fmt.spread((5930, 6240, 6550)) == "6 240 ±310"
    assert fmt.spread((None, 6240, None)) == "6 240"
    assert fmt.spread((52, 57.5, 63)) == "57.50 ±5.50"
    assert fmt.spread((None, None, None)) == "-"
