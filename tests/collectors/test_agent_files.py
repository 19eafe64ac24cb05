"""Folders of logs that mislead, hang or may not be read, and ten thousand files that nobody writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from collectors import _log_lines, _log_tree
from infertop.engine.collector import State, Unavailable
from tests.collectors.agent_world import NOW, Reading, add, message


async def test_links_that_lead_in_circles_and_two_names_of_one_file_count_once(reading: Reading, log: Path) -> None:
    add(log, message(1))
    (log.parent / "again").symlink_to(reading.folder, target_is_directory=True)
    (log.parent / "s1.link.jsonl").symlink_to(log)
    (log.parent / "nowhere.jsonl").symlink_to(log.parent / "gone")
    await reading.read()
    assert reading.keys() == ["msg_1"]
    assert len(reading.collector._tree.files) == 2


async def test_a_pipe_does_not_hold_up_the_others(reading: Reading, log: Path) -> None:
    add(log, message(1))
    os.mkfifo(log.parent / "pipe.jsonl")
    batch = await reading.poll()
    assert [each.key for each in batch.statements] == ["msg_1"]


async def test_a_file_that_may_not_be_read_is_a_note_and_is_tried_again(
    reading: Reading, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(log, message(1))
    add(log.parent / "s2.jsonl", message(2))
    real = _log_lines.opened

    def refused(path: str) -> Any:
        if path.endswith("s2.jsonl"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr("collectors._log_file.opened", refused)
        batch = await reading.poll()
    assert "1 files cannot be read, one is" in batch.notes[0]
    assert "s2.jsonl: Permission denied" in batch.notes[0]
    reading.now += 120
    await reading.poll()
    assert reading.keys() == ["msg_1", "msg_2"]


async def test_a_folder_that_may_not_be_listed_is_a_note(
    reading: Reading, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(log, message(1))
    locked = reading.folder / "locked"
    locked.mkdir()
    real = os.scandir

    def refused(path: str) -> Any:
        if str(path) == str(locked):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("collectors._log_tree.os.scandir", refused)
    batch = await reading.poll()
    assert "1 folders cannot be read" in batch.notes[0]
    assert len(batch.statements) == 1


async def test_without_a_folder_the_source_says_where_it_looked(tmp_path: Path) -> None:
    absent = Reading("codex", tmp_path / "none")
    with pytest.raises(Unavailable, match="there are no logs of Codex: looked in /") as raised:
        await absent.poll()
    assert raised.value.state is State.ABSENT


def test_ten_thousand_files_that_nobody_writes_are_looked_at_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(600):
        path = tmp_path / str(number // 100) / f"{number}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (NOW - 86400, NOW - 86400))
    now = NOW * 2  # folders are made at the real time: by then they have settled
    tree = _log_tree.Tree([str(tmp_path)], lambda path: path.endswith(".jsonl"))
    assert len(tree.look(now, 60)) == 600
    stats: list[str] = []
    monkeypatch.setattr(_log_tree, "stamp_of", lambda path: (stats.append(path), _stamp(path))[1])
    old, new = tmp_path / "3" / "321.jsonl", tmp_path / "5" / "new.jsonl"
    old.write_text("more")
    new.write_text("new")
    found: dict[str, Any] = {}
    for _ in range(4):
        before = len(stats)
        found |= tree.look(now, 60)
        assert len(stats) - before <= _log_tree.IN_TURN + 3
    assert set(found) == {str(old), str(new)}


_stamp = _log_tree.stamp_of
