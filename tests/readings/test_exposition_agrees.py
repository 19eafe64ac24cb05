"""The reader against prometheus_client: on every recorded page, and on generated ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.readings.exposition import Exposition
from tests.readings.reference import alone, named_alike, reference, said
from tests.recordings import PAYLOADS, pages, snapshots

RECORDINGS = ["vllm/0.32.0.jsonl.gz", "triton/2.51.0.jsonl.gz", "llamacpp/xllamacpp.jsonl.gz"]


@pytest.mark.parametrize("path", snapshots(), ids=lambda path: str(path.relative_to(PAYLOADS)))
def test_recorded_page_is_read_as_prometheus_client_reads_it(path):
    page = Exposition(None).parse(path.read_bytes())
    assert named_alike(page) == reference(path.read_text(encoding="utf-8"))
    assert page.rejected == 0
    assert len(page.values) > 10


@pytest.mark.parametrize("recording", RECORDINGS)
def test_every_page_of_a_recording_is_read_as_prometheus_client_reads_it(recording):
    reader = Exposition(None)
    for _, status, text in pages(recording):
        if status == 200:
            assert named_alike(reader.parse(text.encode())) == reference(text)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_every_page_of_a_recording_reads_the_same_through_the_cache(recording):
    wanted = {
        "vllm:generation_tokens",
        "vllm:time_to_first_token_seconds",
        "http_requests",
        "nv_inference_request_success",
    }
    wanted |= {"llamacpp:tokens_predicted", "nv_inference_request_summary_us"}
    reader, layouts = Exposition(wanted), set()
    for _, status, text in pages(recording):
        if status == 200:
            page = reader.parse(text.encode())
            layouts.add(id(page.layout))
            assert said(page) == said(alone(wanted).parse(text.encode()))
            assert page.rejected == 0
    assert len(layouts) < 5


# Generated pages: every liberty that the format gives and both readers take.

names = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,6}", fullmatch=True)
label_names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,3}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=8) | st.sampled_from(
    ['"', "\\", "\\\\n", "\n", "}", "{", ",", "# {", " ", 'x="y"', "NVIDIA H100 80GB HBM3", ""]
)
numbers = (
    st.floats().map(repr)
    | st.integers(-(10**20), 10**20).map(str)
    | st.sampled_from(["NaN", "Nan", "+Inf", "-Inf", "Infinity", "1e5", "1E-7", ".5", "5.", "-0", "+1", "1e999"])
)
blanks = st.text(" ", max_size=2)


@st.composite
def samples(draw):
    parts = [draw(blanks), draw(names)]
    labels = draw(st.dictionaries(label_names, texts, max_size=4))
    blank = " "
    if labels or draw(st.booleans()):
        escaped = (text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for text in labels.values())
        inner = [
            f'{draw(blanks)}{key}{draw(blanks)}={draw(blanks)}"{text}"'
            for key, text in zip(labels, escaped, strict=True)
        ]
        parts += [
            draw(blanks),
            "{",
            ",".join(inner),
            draw(st.sampled_from(["", ","])) if inner else "",
            draw(blanks),
            "}",
        ]
        blank = draw(st.sampled_from([" ", "  ", ""]))
    parts += [blank, draw(numbers)]
    if draw(st.integers(0, 3)) == 0:
        parts.append(f" {draw(st.integers(-(10**13), 10**13))}")
    if draw(st.integers(0, 3)) == 0:
        parts.append(' # {trace="a b"} 0.5')
    if len(parts) % 2 and "  " not in "".join(parts[2:]):
        parts = [part.replace(" ", "\t") if part.strip(" ") == "" else part for part in parts]
    return "".join(parts)


comments = st.one_of(
    st.just(""),
    st.just("# EOF"),
    names.map("# HELP {} one \\n two # {{".format),
    st.builds("# TYPE {} {}".format, names, st.sampled_from(["gauge", "summary", "histogram", "untyped"])),
    names.map("# TYPE {}_total counter".format),
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=5).map("#x {}".format),
)
page_texts = st.builds(
    lambda lines, end, last: end.join(lines) + (end if last else ""),
    st.lists(samples() | comments, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


@given(page_texts)
def test_generated_page_is_read_as_prometheus_client_reads_it(text):
    page = Exposition(None).parse(text.encode())
    assert named_alike(page) == reference(text)
    assert page.rejected == len([line for line in text.split("\n") if line.strip() and not line.startswith("#")]) - len(
        page.values
    )


@given(st.lists(page_texts, min_size=2, max_size=4), st.none() | st.sets(names, max_size=3))
def test_generated_pages_one_after_another_read_as_if_each_were_the_first(texts, wanted):
    reader = Exposition(wanted)
    for text in [*texts, *texts]:
        assert said(reader.parse(text.encode())) == said(alone(wanted).parse(text.encode()))
