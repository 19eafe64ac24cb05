from __future__ import annotations

from infertop.money.dimensions import assign, dimensions
from infertop.money.lines import Basis, Line
from infertop.money.load import parse

RULES = parse(
    b'[[assign]]\nkey = "prod-support-*"\nteam = "support"\nenvironment = "prod"\n'
    b'[[assign]]\nsource = "vllm@*"\nmodel = "llama-*"\nteam = "research"\ncustomer = "acme"\n'
    b'[[assign]]\nteam = "rest"\n'
).assignments


def line(model: str | None = "llama-3", **own: str) -> Line:
    pairs = tuple(sorted(own.items()))
    return Line(0, 60, "vllm@127.0.0.1:8000", "local", model, "input", pairs, 1, "tokens", None, None, Basis.MEASURED)


def test_the_first_rule_that_matches_wins_whole() -> None:
    found = dimensions(line(key="prod-support-7"), RULES)
    assert (found["team"], found["environment"], found.get("customer")) == ("support", "prod", None)


def test_all_conditions_must_match_and_a_rule_without_any_takes_the_rest() -> None:
    assert dimensions(line(), RULES)["customer"] == "acme"
    assert dimensions(line("mistral"), RULES)["team"] == "rest"
    assert dimensions(line(None), RULES)["team"] == "rest"


def test_without_rules_a_line_has_what_it_came_with() -> None:
    assert dimensions(line(user="u"), ()) == {
        "source": "vllm@127.0.0.1:8000",
        "provider": "local",
        "model": "llama-3",
        "user": "u",
    }


def test_what_the_source_says_stays_where_no_rule_sets_it_and_gives_way_where_one_does() -> None:
    own: dict[str, str | None] = {"team": "from the gateway", "feature": "chat"}
    assert assign(own, RULES[:2]) == own
    assert assign(own, RULES) == {"team": "rest", "feature": "chat"}
