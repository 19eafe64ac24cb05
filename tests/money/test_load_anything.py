"""No text and no value breaks the validator, and its lines are those of the editor."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.load import parse
from infertop.money.schema import Mistakes
from tests.money.loading import KINDS, SAMPLE, mistakes

SNIPPETS = [
    *SAMPLE.read_text(encoding="utf-8").splitlines(),
    "[[source]]",
    "[gpu.x]",
    "[[gpu.x]]",
    "[provider.x]",
    "[[provider.x]]",
    "factor = 0.9",
    "[[model.m]]",
    "[[model.m.tiers]]",
    "above = 200000",
    "flex = { input = 1 }",
    "web_searches = 0.01",
    "from = 2026-11-01",
    "x = [",
    "]",
    '"""',
    "{",
    "a.b = 1",
]


@given(st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=30), max_size=30), st.booleans())
@settings(max_examples=400, deadline=None)
def test_no_text_breaks_the_validator(rows: list[str], strict: bool) -> None:
    content = "\n".join(rows).encode("utf-8", "surrogatepass")
    try:
        parse(content, "pricing.toml", KINDS if strict else None)
    except Mistakes as found:
        last = "\n".join(rows).count("\n") + 1
        for sentence in found.sentences:
            name, line, _ = sentence.split(":", 2)
            assert name == "pricing.toml"
            assert 1 <= int(line) <= last
            assert sentence.isprintable()


VALUES = st.sampled_from(
    ["1", "-1", "nan", "true", '"x"', "[]", "{}", "1e308", "2026-11-22", "22:00:00", "[[1]]", '{ a = "b" }']
)
PLACES = st.sampled_from(
    [
        "timezone",
        "gpu",
        "host",
        "energy",
        "model",
        "budget",
        "assign",
        "alert",
        "source",
        "gpu.x",
        "gpu.x.usd_per_hour",
        "model.m",
        "model.m.input",
        "model.m.batch",
        "model.m.flex.input",
        "model.m.tiers",
        "model.m.from",
        "model.m.web_searches",
        "provider",
        "provider.x",
        "provider.x.factor",
        "gpu.x.from",
        "energy.from",
        "host.from",
        "energy.usd_per_kwh",
        "energy.tariff",
        "host.usd_per_hour",
        "alert.sigma",
        "alert.webhook",
        "alert.format",
        "alert.command",
        "alert.per_hour",
        "alert.osc",
    ]
)


@given(st.dictionaries(PLACES, VALUES, max_size=5))
@settings(max_examples=400, deadline=None)
def test_any_value_anywhere_is_taken_or_told_at_its_line(values: dict[str, str]) -> None:
    rows = [f"{place} = {value}" for place, value in values.items()]
    for sentence in mistakes("\n".join(rows)):
        line, _, text = sentence.partition(": ")
        section = rows[int(line) - 1].split(".")[0].split(" ")[0]
        assert section in text or text.startswith(("column", "at the end"))


@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from(["\n", "\r\n"]))
def test_the_line_of_a_mistake_is_the_line_in_the_editor(before: int, between: int, newline: str) -> None:
    rows = ["# [x]"] * before + ["[[budget]]", 'name = "b"', 'period = "day"'] + [""] * between + ["limit_usd = 0"]
    assert mistakes(newline.join(rows)) == [f"{len(rows)}: budget[0].limit_usd must be a number above 0"]
