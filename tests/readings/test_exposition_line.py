"""Single lines of metrics pages: what is read, what is refused, and the reason that is given."""

import math

import pytest

from infertop.readings.exposition import Exposition, Page


def read(text: str | bytes) -> Page:
    return Exposition(None).parse(text.encode() if isinstance(text, str) else text)


def only(text: str | bytes) -> tuple[str, dict[str, str], float]:
    page = read(text)
    assert page.rejected == 0, page.first_rejected
    [(name, labels)], [value] = page.layout.series, page.values
    return name, dict(labels), value


@pytest.mark.parametrize(
    ("line", "name", "labels", "value"),
    [
        ("a 1", "a", {}, 1),
        ("vllm:tokens_total 2.5e+06\n", "vllm:tokens_total", {}, 2.5e6),
        ('a{x="1"} 2', "a", {"x": "1"}, 2),
        ('a{x="1",} 2', "a", {"x": "1"}, 2),
        ("a{} 2", "a", {}, 2),
        ("a{ } 2", "a", {}, 2),
        ('a{x="1"}2', "a", {"x": "1"}, 2),
        ('a {x="1"} 2', "a", {"x": "1"}, 2),
        ('a\t{ x = "1" ,\ty="2" }\t2', "a", {"x": "1", "y": "2"}, 2),
        ("a\t2\r\n", "a", {}, 2),
        ("  a  2  ", "a", {}, 2),
        ('a{name="NVIDIA H100 80GB HBM3"} 2', "a", {"name": "NVIDIA H100 80GB HBM3"}, 2),
        ('a{x="a } b, {c=\\"d\\"} 7"} 2', "a", {"x": 'a } b, {c="d"} 7'}, 2),
        ('a{x="one\\ntwo\\\\three\\qfour"} 2', "a", {"x": "one\ntwo\\three\\qfour"}, 2),
        ('a{x="\\\\"} 2', "a", {"x": "\\"}, 2),
        ('a{x=""} 2', "a", {"x": ""}, 2),
        ('a{x="ok # {not=\\"an exemplar\\"} 5"} 2', "a", {"x": 'ok # {not="an exemplar"} 5'}, 2),
        (b'a{x="\xff\xfe"} 2', "a", {"x": "\ufffd\ufffd"}, 2),
        (b'a{x="\x00"} 2', "a", {"x": "\x00"}, 2),
        ("a 2 1795320009955", "a", {}, 2),
        ("a\t2\t-5", "a", {}, 2),
        ('a_bucket{le="1"} 2 # {trace_id="x y"} 0.5', "a_bucket", {"le": "1"}, 2),
        ('a_total 2 1795320009 # {trace_id="x"} 0.5 1795320009.1', "a_total", {}, 2),
        ("a -0", "a", {}, -0.0),
        ("a +Inf", "a", {}, math.inf),
        ("a -inf", "a", {}, -math.inf),
        ("a 1e999", "a", {}, math.inf),
    ],
)
def test_line_that_the_format_allows_is_read(line, name, labels, value):
    assert only(line) == (name, labels, value)


@pytest.mark.parametrize("spelling", ["NaN", "Nan", "nan"])
def test_nan_is_read_in_every_spelling(spelling):
    assert math.isnan(only(f"a {spelling}")[2])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a", "does not start with a metric's name"),
        ("5", "does not start with a metric's name"),
        ("5a 1", "does not start with a metric's name"),
        ("a.b 1", "does not start with a metric's name"),
        ('{"a.b"} 1', "does not start with a metric's name"),
        (b"\xef\xbb\xbfa 1", "does not start with a metric's name"),
        ("<html>", "does not start with a metric's name"),
        ("a ", "has no value"),
        ('a{x="1"}', "has no value"),
        ("a 0x10", "has no number for a value"),
        ("a 1_000", "has no number for a value"),
        ("a nan(1)", "has no number for a value"),
        ("a 1,5", "has no number for a value"),
        ("a 1\x00", "has no number for a value"),
        ("a 1 x", "has no number for a value"),
        ("a 1 1_0", "has no number for a value"),
        ("a 1 2 3", "goes on after its value"),
        ("a 1 # comment", "goes on after its value"),
        ('a{x="1" 1', "has labels that cannot be read"),
        ('a{x="1} 1', "has labels that cannot be read"),
        ("a{x=1} 1", "has labels that cannot be read"),
        ('a{x="1"y="2"} 1', "has labels that cannot be read"),
        ('a{x="1",,y="2"} 1', "has labels that cannot be read"),
        ('a{5="1"} 1', "has labels that cannot be read"),
        ('a{__name__="b"} 1', "has labels that cannot be read"),
        ('a{x="1",x="2"} 1', "has a label twice"),
        ("# TYPE", "declares a type without a metric's name"),
        ("# TYPE 5 counter", "declares a type without a metric's name"),
        ("# TYPE a", "declares a type without a metric's name"),
        ("# TYPE a countre", "declares a type that does not exist"),
    ],
)
def test_line_that_cannot_be_read_is_counted_with_its_reason_and_the_others_stay(line, reason):
    line = line.encode() if isinstance(line, str) else line
    page = read(b"before 1\n" + line + b"\nafter 2\n")
    assert page.values == [1, 2]
    assert page.rejected == 1
    assert page.first_rejected == f"line 2 {reason}: {line.decode(errors='replace')}"


@pytest.mark.parametrize(
    "line", ["# EOF", "#", "# ", "", " \t", "\r", "# HELP", "#TYPE a b", "# TYPES", "# Trivia", "#5"]
)
def test_line_that_says_nothing_is_passed_over(line):
    page = read(f"before 1\n{line}\nafter 2\n")
    assert (page.values, page.rejected) == ([1, 2], 0)


def test_types_are_kept_by_the_name_in_the_declaration_and_the_first_counts():
    page = read("# HELP a_total help\n#  TYPE\ta_total  counter \r\na_total 1\n# TYPE b gauge\n# TYPE b counter\n")
    assert page.layout.types == {"a_total": "counter", "b": "gauge"}


def test_long_label_is_cut_and_a_hash_keeps_it_apart_from_its_like():
    page = read("".join(f'a{{x="{"é" * 600}{end}"}} 1\n' for end in "bc"))
    first, second = (dict(series.labels)["x"] for series in page.layout.series)
    assert page.rejected == 0
    assert len(first) == len(second) == 512
    assert first[:495] == second[:495] == "é" * 495
    assert first != second


def test_label_of_the_greatest_length_stays_as_sent():
    assert only(f'a{{x="{"é" * 512}"}} 1')[1] == {"x": "é" * 512}


def test_line_with_too_many_labels_is_refused():
    labels = ",".join(f'l{n}="x"' for n in range(65))
    assert "has more than 64 labels" in read(f"a{{{labels}}} 1").first_rejected


def test_quoted_line_is_cut():
    assert len(read("x" * 10_000).first_rejected) < 150
