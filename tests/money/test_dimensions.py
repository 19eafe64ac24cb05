from __future__ import annotations

from infertop.money.dimensions import assign
from infertop.money.load import parse

RULES = parse(
    b'[[assign]]\nkey = "prod-support-*"\nteam = "support"\nenvironment = "prod"\n'
    b'[[assign]]\nsource = "vllm@*"\nmodel = "llama-*"\nteam = "research"\ncustomer = "acme"\n'
    b'[[assign]]\nteam = "rest"\n'
).assignments


def own(model: str | None = "llama-3", **more: str) -> dict[str, str | None]:
    return {"source": "vllm@127.0.0.1:8000", "provider": "local", "model": model, **more}


def test_the_first_rule_that_matches_wins_whole() -> None:
    found = assign(own(key="prod-support-7"), RULES)
    assert (found["team"], found["environment"], found.get("customer")) == ("support", "prod", None)


def test_all_conditions_must_match_and_a_rule_without_any_takes_the_rest() -> None:
    assert assign(own(), RULES)["customer"] == "acme"
    assert assign(own("mistral"), RULES)["team"] == "rest"
    assert assign(own(None), RULES)["team"] == "rest"


def test_without_rules_a_line_has_what_it_came_with() -> None:
    assert assign(own(user="u"), ()) == own(user="u")


def test_what_the_source_says_stays_where_no_rule_sets_it_and_gives_way_where_one_does() -> None:
    said: dict[str, str | None] = {"team": "from the gateway", "feature": "chat"}
    assert assign(said, RULES[:2]) == said
    assert assign(said, RULES) == {"team": "rest", "feature": "chat"}
