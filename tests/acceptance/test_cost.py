"""`infertop cost` as a script runs it: records in, answers out, whatever the records are."""

import json
import subprocess
from decimal import Decimal

AT = "2026-11-21T14:05:42Z"
GPT_4O = {"provider": "openai", "model": "gpt-4o", "at": AT}
SONNET = {"provider": "anthropic", "model": "claude-3-5-sonnet-20241022", "at": AT}


def lines(*records):
    return "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in records)


def priced(infertop, *records, status=0, words=(), said=""):
    """Return the answers to `records`, which went through stdin."""
    process = infertop.start("cost", "-", *words, stdin=subprocess.PIPE)
    out, err = process.communicate(lines(*records), timeout=90)
    assert (process.returncode, err) == (status, f"infertop: {said}\n" if said else "")
    return [json.loads(line) for line in out.splitlines()]


def test_an_answer_says_the_price_by_class_and_where_it_is_from(infertop):
    (answer,) = priced(infertop, {"id": "a", **GPT_4O, "tokens": {"input": 1500, "cache_read": 0, "output": 400}})
    source = answer["price"].pop("source")
    assert source.startswith("snapshot 20")
    assert answer == {
        "id": "a",
        "usd": "0.00775",
        "by_class": {"input": "0.00375", "output": "0.004", "cache_read": "0"},
        "price": {"matched": "gpt-4o", "provider": "openai", "from": None},
        "flags": [],
    }


# The published worked examples that are a price times tokens, with their exact results.
WORKED = [
    ("S2-1", GPT_4O, {"input": 1500, "output": 400}, 1, {}, "0.00775"),
    ("S2-1 a month", GPT_4O, {"input": 1500, "output": 400}, 50_000 * 30, {}, "11625"),
    ("S2-2", SONNET, {"input": 3000, "output": 800}, 1, {}, "0.021"),
    ("S2-2 a day", SONNET, {"input": 3000, "output": 800}, 10_000, {}, "210"),
    ("S2-3", {**GPT_4O, "model": "gpt-4o-mini"}, {"input": 200, "output": 20}, 1, {}, "0.000042"),
    ("S2-3 a month", {**GPT_4O, "model": "gpt-4o-mini"}, {"input": 200, "output": 20}, 500_000 * 30, {}, "630"),
    ("S2-4", SONNET, {"input": 8000, "output": 1000}, 1, {}, "0.039"),
    ("S2-4 a month", SONNET, {"input": 8000, "output": 1000}, 5_000 * 30, {}, "5850"),
    ("S2-19 in", GPT_4O, {"input": 10**6}, 1, {"batch": True}, "1.25"),
    ("S2-19 out", GPT_4O, {"output": 10**6}, 1, {"batch": True}, "5"),
    ("S2-21", GPT_4O, {"input": 15_000, "output": 1000}, 1, {}, "0.0475"),
    ("S3-1", SONNET, {"input": 1000, "output": 400}, 1, {}, "0.009"),
]


def test_the_worked_examples_come_out_to_the_last_digit(infertop):
    records = [{"id": name, **model, "tokens": tokens, **more} for name, model, tokens, _, more, _ in WORKED]
    answers = priced(infertop, *records)
    found = {each["id"]: Decimal(each["usd"]) for each in answers}
    assert {name: found[name] * times for name, _, _, times, _, _ in WORKED} == {
        name: Decimal(usd) for name, *_, usd in WORKED
    }


def test_parts_sum_to_the_whole_exactly(infertop):
    tokens = {"input": 7, "cache_read": 10**15, "output": 3, "reasoning": 1}
    answers = priced(
        infertop,
        {**GPT_4O, "tokens": tokens, "calls": {"web_searches": 7}},
        {**GPT_4O, "provider": "google", "model": "gemini-2.5-pro", "tokens": tokens},
        {**SONNET, "tokens": {"input": 1, "cache_write_5m": 3, "cache_write_1h": 7, "output": 1}},
    )
    for answer in answers:
        assert sum(Decimal(usd) for usd in answer["by_class"].values()) == Decimal(answer["usd"])
        assert "E" not in str(answer)


TIME = 'which is no time like "2026-11-21T14:05:42Z"'
# What is no usage record, and what is said of it.
REFUSED = {
    "{": "is not JSON: expecting property name enclosed in double quotes at column 2",
    "[]": "is a list, not a usage record",
    '"text"': "is a string, not a usage record",
    "17": "is a number, not a usage record",
    "null": "is null, not a usage record",
    "true": "is true or false, not a usage record",
    "{}": 'has no "provider"',
    '{"provider": "openai"}': 'has no "model"',
    '{"provider": "openai", "model": 5}': '"model" must be a string',
    '{"provider": "openai", "model": "gpt-4o"}': 'has neither "tokens" nor "usage" nor "calls"',
}
# The same of a record of gpt-4o with these keys.
REFUSED |= {
    f'{{"provider": "openai", "model": "gpt-4o", {keys}}}': sentence
    for keys, sentence in {
        '"tokens": 5': '"tokens" must be an object of class and count',
        '"tokens": {"input": -5}': "tokens.input is -5: a count cannot be negative",
        '"tokens": {"input": 1.5}': "tokens.input is 1.5: it must be a whole number",
        '"tokens": {"input": true}': "tokens.input is true: it must be a number",
        '"tokens": {"input": "5"}': "tokens.input is a string: it must be a number",
        '"tokens": {"input": NaN}': "has NaN, which is no number",
        '"tokens": {"input": -Infinity}': "has -Infinity, which is no number",
        '"tokens": {"input": 1e999}': "tokens.input is inf: more than 1000000000000000 cannot be true",
        '"tokens": {"input": 2000000000000000}': (
            "tokens.input is 2000000000000000: more than 1000000000000000 cannot be true"
        ),
        '"tokens": {"input": 1, "input": 2}': 'has "input" twice',
        '"tokens": {}, "calls": {"web_searches": -1}': "calls.web_searches is -1: a count cannot be negative",
        '"tokens": {}, "at": "noon"': f'"at" is "noon", {TIME}',
        '"tokens": {}, "at": "2026-13-01T00:00:00Z"': f'"at" is "2026-13-01T00:00:00Z", {TIME}',
        '"tokens": {}, "at": "2026-11-21"': f'"at" is "2026-11-21", {TIME}',
        '"tokens": {}, "at": 5': '"at" must be a time like "2026-11-21T14:05:42Z"',
        '"tokens": {}, "batch": "yes"': '"batch" must be true or false',
        '"tokens": {}, "service_tier": 5': '"service_tier" must be a string of at most 64 characters',
        '"usage": []': '"usage" must be the object that the provider returned',
        '"usage": {"prompt_tokens": 8, "prompt_tokens_details": {"cached_tokens": 9}}': (
            "prompt_tokens_details.cached_tokens 9 is above prompt_tokens 8"
        ),
    }.items()
}


def test_what_is_no_record_becomes_an_error_and_the_rest_goes_on(infertop):
    good = {"id": "good", **GPT_4O, "tokens": {"input": 1}}
    count = f"of {len(REFUSED) + 2} lines {len(REFUSED)} are no usage record"
    answers = priced(infertop, good, *REFUSED, good, status=1, said=count)
    first, *refused, last = answers
    assert first["usd"] == last["usd"] == "0.0000025"
    assert {text: each["error"] for text, each in zip(REFUSED, refused, strict=True)} == REFUSED
    assert [each["line"] for each in refused] == list(range(2, len(REFUSED) + 2))


def test_an_error_names_the_record_where_it_can(infertop):
    records = {"id": "r1", "model": "gpt-4o"}, {"id": "x" * 1000, "model": "gpt-4o"}
    answers = priced(infertop, *records, status=1, said="of 2 lines 2 are no usage record")
    assert answers == [
        {"line": 1, "id": "r1", "error": 'has no "provider"'},
        {"line": 2, "error": 'has no "provider"'},
    ]


def test_what_has_no_price_is_a_good_line(infertop):
    unknown_model, own_model, unknown_provider, unknown_class = priced(
        infertop,
        {**GPT_4O, "model": "gpt-77", "tokens": {"input": 5, "output": 0}},
        {**GPT_4O, "provider": "local", "tokens": {"input": 5}},
        {**GPT_4O, "provider": "nobody", "tokens": {"input": 5}},
        {**GPT_4O, "tokens": {"input": 4, "smell": 3, "taste": 0}, "calls": {"nods": 1}},
        said="of 4 lines 4 have no price, or not for all",
    )
    assert (unknown_model["usd"], unknown_model["price"]) == (None, None)
    assert unknown_model["by_class"] == {"input": None, "output": "0"}
    assert "unknown_model" in unknown_model["flags"]
    assert (own_model["usd"], "unknown_model" in own_model["flags"]) == (None, True)
    assert (unknown_provider["usd"], "unknown_provider" in unknown_provider["flags"]) == (None, True)
    assert unknown_class["usd"] == "0.00001"
    assert unknown_class["flags"] == ["unknown_class:smell", "unknown_unit:nods"]


def test_a_model_that_is_listed_without_a_price_is_told_from_an_unknown_one(infertop):
    record = {**GPT_4O, "provider": "cerebras", "model": "qwen-3-coder-480b", "tokens": {"input": 5}}
    (answer,) = priced(infertop, record, said="of 1 lines 1 has no price, or not for all")
    assert (answer["usd"], answer["price"]) == (None, None)
    assert "listed_without_price" in answer["flags"]


def test_the_way_of_processing_is_priced_or_flagged(infertop):
    record = {**GPT_4O, "model": "gpt-5-mini", "tokens": {"input": 10**6}}
    standard, flex, batch, named, mistyped = priced(
        infertop,
        {**record, "service_tier": "Default", "batch": False},
        {**record, "service_tier": "flex"},
        {**record, "batch": True},
        {**record, "service_tier": "batch"},
        {**record, "service_tier": "flexible"},
    )
    assert standard["flags"] == flex["flags"] == batch["flags"] == []
    assert Decimal(flex["usd"]) < Decimal(standard["usd"]) > Decimal(batch["usd"])
    assert named == batch
    assert (mistyped["usd"], mistyped["flags"]) == (standard["usd"], ["standard_rate:flexible"])


def test_prices_hold_at_the_time_of_the_record(infertop):
    record = {"provider": "openai", "model": "o3", "tokens": {"input": 10**6}}
    before, after, unset, local, leap = priced(
        infertop,
        {**record, "at": "2025-05-01T00:00:00Z"},
        {**record, "at": "2025-07-01T00:00:00.123456789+02:00"},
        record,
        {**record, "at": "2025-07-01t00:00:00z"},
        {**record, "at": "2016-12-31T23:59:60Z"},
    )
    assert (before["usd"], after["usd"], unset["usd"], local["usd"], leap["usd"]) == ("10", "2", "2", "2", "10")
    assert (unset["flags"], after["flags"]) == (["at:now"], [])


def test_what_a_provider_returned_is_undone(infertop):
    usage = {"input_tokens": 504, "cache_creation_input_tokens": 123, "cache_read_input_tokens": 7, "output_tokens": 97}
    disjoint = {"input": 504, "cache_write_5m": 123, "cache_read": 7, "output": 97}
    given, undone = priced(infertop, {**SONNET, "tokens": disjoint}, {**SONNET, "usage": usage, "tokens": None})
    assert given["usd"] == undone["usd"]
    assert given["by_class"] == undone["by_class"]


def test_pricing_toml_is_over_the_list(infertop, tmp_path):
    (tmp_path / "own.toml").write_text('[model."gpt-4o"]\ninput = 1\noutput = 2\n')
    (answer,) = priced(
        infertop, {**GPT_4O, "tokens": {"input": 10**6}}, words=("--pricing", str(tmp_path / "own.toml"))
    )
    assert (answer["usd"], answer["price"]["source"]) == ("1", "own.toml:2")


def test_several_files_are_told_apart(infertop, tmp_path):
    (tmp_path / "a.jsonl").write_text(lines({**GPT_4O, "tokens": {}}))
    (tmp_path / "b.jsonl").write_text("\ufeff\r\n" + lines({**GPT_4O, "tokens": {}}).replace("\n", "\r\n") + "x")
    done = infertop.run("cost", "a.jsonl", "b.jsonl", "missing.jsonl", str(tmp_path))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each.get("usd") for each in answers] == ["0", "0", None]
    assert answers[2] == {"file": "b.jsonl", "line": 3, "error": "is not JSON: expecting value at column 1"}
    assert done.stderr.splitlines() == [
        "infertop: missing.jsonl could not be read: no such file or directory",
        f"infertop: {tmp_path} could not be read: is a directory",
        "infertop: of 3 lines 1 is no usage record",
    ]
    assert done.returncode == 1
