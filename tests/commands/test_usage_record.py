"""Usage records and the lines they come in: whatever is sent, a record or a sentence."""

import json
import os
import threading
import tracemalloc
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.commands.input_lines import line_batches
from infertop.commands.priced_line import PricedLines, error_line
from infertop.commands.usage_record import NoRecord, read_record
from infertop.money.quote import Way
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES

NOON = 1_795_348_800.0  # 22 November 2026, 12:00 UTC
BOOK = PriceBook(Settings())
KEYS = ("id", "provider", "model", "at", "tokens", "usage", "shape", "batch", "service_tier", "speed", "calls", "other")
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["openai", "gpt-4o", "2026-11-21T14:05:42Z", "flex", "anthropic"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*TOKEN_CLASSES, *CALL_UNITS, "prompt_tokens", "completion_tokens", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


def priced_lines():
    return PricedLines(BOOK.quote, lambda _provider, _model: "unknown_model")


def answer(line):
    try:
        return json.loads(priced_lines().line(read_record(line, NOON)))
    except NoRecord as refused:
        return json.loads(error_line(1, str(refused), refused.id))


def checked(found):
    if "error" in found:
        assert 0 < len(found["error"]) < 500
        return
    assert set(found) == {"id", "usd", "by_class", "price", "flags"}
    parts = [Decimal(usd) for usd in found["by_class"].values() if usd is not None]
    assert all(part >= 0 for part in parts)
    if found["usd"] is not None:
        with localcontext(prec=100):  # some lists have prices of 17 digits
            assert sum(parts) == Decimal(found["usd"])


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), values))
def test_any_object_is_answered_or_refused(data):
    checked(answer(json.dumps(data).encode()))


@given(st.dictionaries(st.sampled_from(KEYS), values), st.dictionaries(st.sampled_from(sorted(TOKEN_CLASSES)), values))
def test_any_record_of_a_known_model_is_answered_or_refused(data, tokens):
    record = {**data, "provider": "openai", "model": "gpt-4o", "tokens": tokens}
    checked(answer(json.dumps(record).encode()))


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_or_refused(line):
    checked(answer(line))


counts = st.dictionaries(st.sampled_from(sorted(TOKEN_CLASSES)), st.integers(0, 10**15))
models = st.sampled_from([(each.provider, each.model) for each in BOOK.listing.models()])


@given(models, counts, st.booleans(), st.sampled_from(["", "flex", "priority"]), st.floats(1.6e9, 1.9e9))
def test_the_parts_of_any_model_sum_to_the_whole(model, tokens, batch, tier, now):
    provider, name = model
    record = {"provider": provider, "model": name, "tokens": tokens, "batch": batch, "service_tier": tier}
    found = json.loads(priced_lines().line(read_record(json.dumps(record).encode(), now)))
    checked(found)
    assert set(found["by_class"]) >= set(tokens)


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.floats(1.7e9, 1.8e9)), max_size=30))
def test_remembered_prices_are_those_of_the_time_of_the_record(asked):
    """One model's price goes by the hour, one's by date, one is unknown."""
    names = {1: ("deepseek", "deepseek-chat"), 2: ("openai", "o3"), 3: ("openai", "gpt-77")}
    remembering = priced_lines()
    for which, at in asked:
        provider, model = names[which]
        record = read_record(
            json.dumps({"provider": provider, "model": model, "tokens": {"input": 10**6}}).encode(), at
        )
        assert remembering.line(record) == priced_lines().line(record)


@pytest.mark.parametrize(
    ("batch", "tier", "way"),
    [
        (None, None, Way()),
        (False, "auto", Way()),
        (True, "STANDARD", Way(batch=True)),
        (False, "batch", Way(batch=True)),
        (True, " Flex ", Way(batch=True, service_tier="flex")),
    ],
)
def test_the_way_of_processing_is_read_in_all_its_spellings(batch, tier, way):
    data = {"provider": "openai", "model": "gpt-4o", "tokens": {}, "batch": batch, "service_tier": tier}
    assert read_record(json.dumps(data).encode(), NOON).way == way


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({"speed": "fast"}, Way(service_tier="fast")),
        ({"speed": "standard"}, Way()),
        ({"speed": 81.5}, Way()),
        ({"speed": "fast", "service_tier": "standard"}, Way(service_tier="fast")),
        ({"speed": "fast", "service_tier": "priority"}, Way(service_tier="priority")),
        ({"speed": "fast", "batch": True}, Way(batch=True, service_tier="fast")),
    ],
)
def test_a_speed_is_a_tier_where_the_record_names_no_other(said, way):
    data = {"provider": "anthropic", "model": "claude-opus-4-8", "tokens": {}, **said}
    assert read_record(json.dumps(data).encode(), NOON).way == way


@pytest.mark.parametrize(
    ("usage", "said", "way"),
    [
        ({"service_tier": "standard", "speed": "fast"}, {}, Way(service_tier="fast")),
        ({"service_tier": "batch"}, {}, Way(batch=True)),
        ({"service_tier": "priority"}, {}, Way(service_tier="priority")),
        ({"service_tier": "priority"}, {"service_tier": "flex"}, Way(service_tier="flex")),
        ({"service_tier": None, "speed": None}, {}, Way()),
        ({"service_tier": 3, "speed": {}}, {}, Way()),
    ],
)
def test_what_a_usage_object_says_of_its_processing_holds_unless_the_record_says_more(usage, said, way):
    data = {"provider": "anthropic", "model": "claude-opus-4-8", "usage": {"input_tokens": 5, **usage}, **said}
    assert read_record(json.dumps(data).encode(), NOON).way == way


@pytest.mark.parametrize("id", ["1e999", "-1e999"])
@pytest.mark.parametrize("rest", ["", ', "provider": "openai", "model": "gpt-4o", "tokens": {}'])
def test_an_id_that_json_cannot_write_is_not_written(id, rest):
    found = answer(f'{{"id": {id}{rest}}}'.encode())
    assert "error" in found
    assert "id" not in found


def test_flags_of_made_up_classes_are_not_remembered():
    prices = priced_lines()

    def priced(names):
        record = {"provider": "openai", "model": "gpt-4o", "tokens": dict.fromkeys(names, 1)}
        return json.loads(prices.line(read_record(json.dumps(record).encode(), NOON)))

    priced(["input"])
    tracemalloc.start()
    for n in range(5):
        found = priced([f"class {n} {i}" for i in range(4_000)])
        assert len(found["flags"]) == 32
    assert tracemalloc.get_traced_memory()[0] < 1_000_000
    tracemalloc.stop()


def test_a_class_of_nothing_costs_nothing_whatever_is_counted_beside_it():
    data = {"provider": "openai", "model": "gpt-4o", "tokens": {"input": 0, "output": 5}, "calls": {"web_searches": 1}}
    found = json.loads(priced_lines().line(read_record(json.dumps(data).encode(), NOON)))
    assert found["by_class"] == {"output": "0.00005", "web_searches": "0.01", "input": "0"}


def test_fast_processing_has_its_own_price():
    data = {"provider": "anthropic", "model": "claude-opus-4-8", "tokens": {"input": 1000, "output": 100}}
    at_once, fast = (
        json.loads(priced_lines().line(read_record(json.dumps({**data, **said}).encode(), NOON)))["usd"]
        for said in ({}, {"speed": "fast"})
    )
    assert (at_once, fast) == ("0.0075", "0.015")


@pytest.mark.parametrize(
    ("at", "ts"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        ("2026-11-22T14:00:00+02:00", NOON),
        ("2026-11-22 12:00:00", NOON),
        ("2026-11-22T12:00:00.500000000Z", NOON + 0.5),
        ("2026-11-22t12:00:00z", NOON),
        ("2026-11-22T11:59:60Z", NOON),
        (None, NOON),
    ],
)
def test_times_are_read_as_rfc_3339_has_them(at, ts):
    data = {"provider": "openai", "model": "gpt-4o", "tokens": {}, "at": at}
    assert read_record(json.dumps(data).encode(), NOON).at == ts


@pytest.mark.parametrize(
    "at",
    [
        *("", "2026-11-22", "20261122T120000Z", "2026-W47-7T12:00:00Z", "12:00", "2026-11-22T25:00:00Z"),
        "9999-12-31T23:59:60Z",
    ],
)
def test_what_is_no_time_is_refused(at):
    data = {"provider": "openai", "model": "gpt-4o", "tokens": {}, "at": at}
    with pytest.raises(NoRecord, match="which is no time"):
        read_record(json.dumps(data).encode(), NOON)


@given(st.lists(st.binary(max_size=6) | st.sampled_from([b"\xef\xbb", b"\xbf", b"\n"])), st.integers(1, 8))
def test_lines_are_those_of_the_whole_however_they_arrive(chunks, longest):
    ours, theirs = os.pipe()

    def send():
        for chunk in chunks:
            os.write(theirs, chunk)
        os.close(theirs)

    sender = threading.Thread(target=send)
    sender.start()
    found = [line for batch in line_batches(ours, "x", longest) for line in batch]
    sender.join()
    os.close(ours)
    whole = b"".join(chunks).split(b"\n")
    expected = [line if len(line) <= longest else None for line in (whole if whole[-1] else whole[:-1])]
    if expected and expected[0] is not None:
        expected[0] = expected[0].removeprefix(b"\xef\xbb\xbf")
    assert found == expected
