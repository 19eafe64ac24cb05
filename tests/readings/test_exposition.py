"""Pages read again and again: which samples, which layout, and that the cache is never to be noticed."""

import pytest

from infertop.readings import exposition, exposition_draft
from infertop.readings.exposition import Exposition
from tests.readings.reference import alone, said

PAGE = b"""# TYPE vllm:running gauge
vllm:running{engine="0"} 1
# TYPE vllm:tokens counter
vllm:tokens_total{engine="0"} 10
vllm:tokens_created{engine="0"} 1.7e9
# TYPE vllm:ttft_seconds histogram
vllm:ttft_seconds_bucket{engine="0",le="1.0"} 3
vllm:ttft_seconds_bucket{engine="0",le="+Inf"} 4
vllm:ttft_seconds_count{engine="0"} 4
vllm:ttft_seconds_sum{engine="0"} 2.5
python_info{version="3.11"} 1
"""


def names(page):
    return [series.name for series in page.layout.series]


def test_wanted_family_takes_its_total_buckets_sum_and_count_and_no_other():
    assert names(Exposition(["vllm:tokens"]).parse(PAGE)) == ["vllm:tokens_total"]
    assert [
        name.removeprefix("vllm:ttft_seconds") for name in names(Exposition(["vllm:ttft_seconds"]).parse(PAGE))
    ] == [
        "_bucket",
        "_bucket",
        "_count",
        "_sum",
    ]


def test_time_of_creation_is_taken_only_when_asked_for():
    assert names(Exposition(["vllm:tokens_created"]).parse(PAGE)) == ["vllm:tokens_created"]


def test_colon_and_underscore_are_the_same_in_names_that_are_wanted():
    assert names(Exposition(["vllm_tokens"]).parse(PAGE)) == ["vllm:tokens_total"]
    relayed = PAGE.replace(b"vllm:", b"vllm_")
    assert names(Exposition(["vllm:tokens"]).parse(relayed)) == ["vllm_tokens_total"]


def test_summary_is_taken_with_its_quantiles():
    page = Exposition(["nv_us"]).parse(b'nv_us{quantile="0.5"} Nan\nnv_us_count 3\nnv_us_sum 5\nnv_us_max 5\n')
    assert names(page) == ["nv_us", "nv_us_count", "nv_us_sum"]


def test_types_are_kept_of_wanted_families_alone():
    assert Exposition(["vllm:tokens", "vllm:running"]).parse(PAGE).layout.types == {
        "vllm:tokens": "counter",
        "vllm:running": "gauge",
    }


def test_nothing_wanted_reads_nothing_and_none_reads_everything():
    assert names(Exposition([]).parse(PAGE)) == []
    assert len(Exposition(None).parse(PAGE).values) == 8


def test_unwanted_line_is_not_looked_into():
    page = Exposition(["vllm:running"]).parse(PAGE + b"python_info{broken 1\n# TYPE python_info nonsense\n")
    assert page.rejected == 0


def test_layout_stays_the_same_object_while_only_values_change():
    reader = Exposition(["vllm:tokens", "vllm:running"])
    first = reader.parse(PAGE)
    second = reader.parse(PAGE.replace(b"} 10\n", b"} 12345\n").replace(b'"3.11"', b'"3.12"'))
    assert first.values == [1, 10]
    assert second.values == [1, 12345]
    assert second.layout is first.layout


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(PAGE.replace(b"python_info", b"# HELP new\nnew 5\npython_info"), id="an unwanted family more"),
        pytest.param(PAGE.replace(b" counter", b" gauge"), id="types"),
        pytest.param(b"\n".join(reversed(PAGE.split(b"\n"))), id="the lines in another order"),
        pytest.param(PAGE.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(PAGE.removesuffix(b"\n"), id="no newline at the end"),
        pytest.param(PAGE.replace(b"} 10\n", b"} 10 1795320009955\n"), id="a time stamp"),
        pytest.param(PAGE.replace(b"} 10\n", b'} 10 # {trace="x"} 1\n'), id="an exemplar"),
    ],
)  # fmt: skip
def test_series_keep_their_order_while_they_are_the_same(changed):
    reader = Exposition(["vllm:tokens", "vllm:running"])
    before = reader.parse(PAGE)
    after = reader.parse(changed)
    assert after.layout.series is before.layout.series
    assert after.values == before.values == [1, 10]
    assert said(after) == said(alone(["vllm:tokens", "vllm:running"]).parse(changed))


def test_series_that_comes_makes_a_new_layout_and_its_going_another():
    reader = Exposition(["vllm:tokens"])
    first = reader.parse(PAGE)
    more = reader.parse(PAGE.replace(b"vllm:tokens_created", b'vllm:tokens_total{engine="1"} 5\nvllm:tokens_created'))
    assert [dict(series.labels)["engine"] for series in more.layout.series] == ["0", "1"]
    assert more.values == [10, 5]
    assert reader.parse(PAGE).layout.series == first.layout.series


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a 1", 'a {x="1"} 2', id="labels where the value was"),
        pytest.param('a{x="1"} 1', 'a{x="1"} 2 1795320009955', id="a time stamp where there was none"),
        pytest.param('a{x="1"} 1', 'a{x="1"} 2 # {y="3"} 4', id="an exemplar where there was none"),
        pytest.param('a{x="1"} 1', 'a{x="1"}5', id="no blank where there was one"),
        pytest.param('a{x="1"} 1', 'a{x="1"}{y="2"} 5', id="labels after the labels"),
        pytest.param("a 1", "ab 1", id="a name that goes on"),
        pytest.param("a 1", "1", id="no name"),
        pytest.param("a 1", "nan", id="a value alone"),
        pytest.param("a 1", "a 1_0", id="a number that only Python reads"),
        pytest.param("a 1", "a x", id="no number"),
        pytest.param("a x", "a 1", id="a number at last"),
        pytest.param("a x", "z 1", id="an unwanted line where a broken one was"),
        pytest.param("a x", "# x", id="a comment where a broken line was"),
        pytest.param("a x", "b x", id="a broken line of another name"),
        pytest.param("a x", 'a{x="1} 1', id="broken in another way"),
        pytest.param("a 1\na 2", 'a 1\na{x="1"} 2', id="a series where its double was"),
        pytest.param("a 1\na 2", "a 1\na 3", id="another value of a double"),
        pytest.param("a 1\na 2", "a 1\na x", id="a broken double"),
        pytest.param("a 1\na x", "a 1\na 2", id="a double where a broken line was"),
        pytest.param("z 1", "a 1", id="a wanted line where an unwanted one was"),
        pytest.param("z 1", "z", id="an unwanted line that breaks"),
        pytest.param("z 1", 'z {y="1"} 1', id="an unwanted line with labels"),
        pytest.param("#", "# TYPE a counter", id="a type where a comment was"),
        pytest.param("# T", "# TYPE a counter", id="a type where its beginning was"),
        pytest.param("# TYPE z counter", "# TYPE a counter", id="a wanted type where an unwanted one was"),
        pytest.param("# TYPE a count", "# TYPE a counter", id="a type that was cut"),
        pytest.param("# TYPE a counter", "# TYPE a counters", id="a type that goes on"),
        pytest.param("# HELP a", "a 1", id="a sample where help was"),
        pytest.param("", "a 1", id="a sample where nothing was"),
        pytest.param("a 1", "", id="nothing where a sample was"),
        pytest.param("a 1", "a 1\n", id="an empty line more"),
    ],
)
def test_page_that_changes_is_read_as_if_it_were_the_first(before, after):
    frame = "b 1\n{}\nc 2\n"
    reader = Exposition(["a", "b", "c"])
    for text in (before, after, before, after):
        page = frame.format(text).encode()
        assert said(reader.parse(page)) == said(alone(["a", "b", "c"]).parse(page))


def test_first_rejected_line_is_quoted_as_it_stands_now():
    reader = Exposition(None)
    reader.parse(b"a x\n")
    assert reader.parse(b"a y\n").first_rejected == "line 1 has no number for a value: a y"


def test_duplicate_series_counts_once_whatever_the_order_of_its_labels():
    page = Exposition(None).parse(b'a{x="1",y="2"} 1\na{y="2",x="1"} 2\n')
    assert page.values == [1]
    assert page.first_rejected == 'line 2 stands on the page already: a{y="2",x="1"} 2'


def test_samples_beyond_the_limit_are_counted_and_not_kept(monkeypatch):
    monkeypatch.setattr(exposition_draft, "MAX_SAMPLES", 3)
    page = b"".join(b'z 1\na{x="%d"} 1\n' % n for n in range(10))
    reader = Exposition(["a"])
    for _ in range(2):
        read = reader.parse(page)
        assert len(read.values) == 3
        assert read.rejected == 13
        assert "beyond the limit of 3 samples" in read.first_rejected
    assert said(reader.parse(page[: page.index(b'a{x="3"}')])) == said(
        alone(["a"]).parse(page[: page.index(b'a{x="3"}')])
    )


def test_reading_ends_where_too_much_cannot_be_read(monkeypatch):
    monkeypatch.setattr(exposition_draft, "MAX_REJECTED", 3)
    reader = Exposition(None)
    for _ in range(2):
        read = reader.parse(b"a 1\n" + b"<p>\n" * 10 + b"b 2\n")
        assert (read.values, read.rejected) == ([1], 11)


def test_lines_beyond_the_limit_are_counted(monkeypatch):
    monkeypatch.setattr(exposition, "MAX_LINES", 3)
    reader = Exposition(None)
    for end in (b"", b"\n"):
        read = reader.parse(b"a 1\nb 2\nc 3\nd 4\ne 5" + end)
        assert (read.values, read.rejected) == ([1, 2, 3], 2)
        assert read.first_rejected == "2 lines are beyond the limit of 3"
        assert reader.parse(b"a 1\nb 2\nc 3" + end).rejected == 0


@pytest.mark.parametrize("page", [b"", b"\n", b"\n\n", b"\x00", b"\r"])
def test_page_without_samples_is_an_empty_page(page):
    assert Exposition(None).parse(page).values == []
