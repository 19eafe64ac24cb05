"""Agents' logs are found by their folders, and read on where an earlier run was."""

from __future__ import annotations

from pathlib import Path

from infertop.commands.agents import agents_here, searched_agents
from infertop.commands.hub import Hub
from infertop.commands.roster import Roster
from infertop.engine.collector import SourceConfig
from infertop.engine.state import State
from tests.collectors.agent_world import add, message
from tests.fakes import FakeClock


def _home(path: Path) -> dict[str, str]:
    (path / ".claude" / "projects").mkdir(parents=True)
    (path / ".codex" / "archived_sessions").mkdir(parents=True)
    return {"HOME": str(path)}


def test_an_agent_whose_folder_is_there_is_a_source_unless_its_kind_is_configured(tmp_path: Path) -> None:
    home = _home(tmp_path)
    assert [(each.kind, each.name, each.counts) for each in agents_here(home, ())] == [
        ("claude-code", "claude-code", None),
        ("codex", "codex", None),
    ]
    assert [each.kind for each in agents_here(home, {"codex"})] == ["claude-code"]
    assert agents_here({"HOME": str(tmp_path / "else")}, ()) == []


def test_the_search_says_where_it_looked_and_whose_logs_are_there(tmp_path: Path) -> None:
    said = searched_agents(_home(tmp_path), {"codex", "nvml"})
    assert said.found == "codex found"
    assert {"~/.claude/projects", "~/.codex/sessions", "~/.gemini/tmp"} <= set(said.where.split(", "))
    assert searched_agents({}, ()).found == "not found"


async def test_a_source_that_is_read_on_begins_where_its_bookmark_is(tmp_path: Path) -> None:
    add(tmp_path / "p" / "s.jsonl", message(1), message(2))
    state = State()
    hub = Hub(state)
    config = SourceConfig("claude-code", "claude-code", options={"folders": [str(tmp_path)]})
    first, second = (Roster(FakeClock(), hub, frozenset())._collector(config) for _ in range(2))
    bookmarks = (await first.collect(1.0)).bookmarks
    assert len((await second.collect(1.0)).statements) == 2
    roster = Roster(FakeClock(), hub, frozenset())
    roster.bookmarks = {"claude-code": bookmarks}
    resumed = roster._collector(config)
    assert (await resumed.collect(2.0)).statements == ()
    add(tmp_path / "p" / "s.jsonl", message(3))
    assert [each.key for each in (await resumed.collect(3.0)).statements] == ["msg_3"]
    for each in (first, second, resumed):
        await each.close()


async def test_an_agent_that_is_configured_later_under_a_name_of_its_own_is_not_read_twice(tmp_path: Path) -> None:
    roster = Roster(FakeClock(), Hub(State()), frozenset())
    (found,) = agents_here(_home(tmp_path), {"codex"})
    await roster.add_found(found, None)
    await roster.follow([SourceConfig("claude-code", "team", options={"folders": [str(tmp_path)]})])
    assert roster.polling.names == ("team",)
    await roster.add_found(found, None)
    assert roster.polling.names == ("team",)
