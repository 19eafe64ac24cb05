"""Logs as files: they grow, are cut, move, vanish, hang and mislead, and every request is still counted once."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import _agent_logs, _log_lines
from tests.collectors.agent_world import NOW, Reading, add, message


async def test_only_what_was_appended_is_read(reading: Reading, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(log, *(message(number) for number in range(50)))
    await reading.read()
    seen: list[bytes] = []
    find = _log_lines.lines_with
    monkeypatch.setattr(_log_lines, "lines_with", lambda text, *rest: (seen.append(text), find(text, *rest))[1])
    add(log, message(99))
    batch = await reading.poll()
    assert [each.key for each in batch.statements] == ["msg_99"]
    assert sum(map(len, seen)) == len(json.dumps(message(99), separators=(",", ":"))) + 1


async def test_what_has_not_changed_is_not_opened_also_after_a_restart(
    reading: Reading, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(log, message(1))
    await reading.read()
    reading.restart()

    def never(path: str) -> Any:
        raise AssertionError(path)

    monkeypatch.setattr("collectors._log_file.opened", never)
    for _ in range(3):
        assert (await reading.poll()).statements == ()


async def test_half_of_a_line_waits_for_the_other_half(reading: Reading, log: Path) -> None:
    text = json.dumps(message(2)) + "\n"
    add(log, message(1))
    with log.open("a") as file:
        file.write(text[:200])
    await reading.read()
    assert reading.keys() == ["msg_1"]
    reading.restart()
    with log.open("a") as file:
        file.write(text[200:])
    await reading.read()
    assert reading.keys() == ["msg_1", "msg_2"]


async def test_a_log_that_was_cut_is_read_from_its_beginning(reading: Reading, log: Path) -> None:
    add(log, message(1), message(2))
    await reading.read()
    log.write_text("")
    add(log, message(3))
    await reading.read()
    assert reading.keys() == ["msg_1", "msg_2", "msg_3"]


async def test_another_file_under_the_same_name_is_read_whole_also_if_it_is_longer(reading: Reading, log: Path) -> None:
    add(log, message(1))
    await reading.read()
    other = log.with_suffix(".new")
    add(other, *(message(number) for number in range(5, 15)))
    other.rename(log)
    await reading.read()
    assert len(reading.keys()) == 11


async def test_other_content_in_the_same_file_is_read_whole(reading: Reading, log: Path) -> None:
    add(log, message(1))
    await reading.read()
    with log.open("r+") as file:
        file.write("".join(json.dumps(message(number)) + "\n" for number in range(5, 9)))
    await reading.read()
    assert len(reading.keys()) == 5


async def test_a_log_that_moves_counts_once_and_one_that_is_gone_goes_on_counting(reading: Reading, log: Path) -> None:
    add(log, message(1))
    await reading.read()
    moved = log.parent / "s1.moved.jsonl"
    log.rename(moved)
    await reading.read()
    assert reading.keys() == ["msg_1"]
    moved.unlink()
    batches = [await reading.poll() for _ in range(2)]
    assert {str(moved): ""} in [dict(each.bookmarks) for each in batches]
    assert reading.keys() == ["msg_1"]


async def test_what_went_while_nobody_looked_is_forgotten(reading: Reading, log: Path) -> None:
    add(log, message(1))
    await reading.read()
    log.unlink()
    reading.restart()
    assert dict((await reading.poll()).bookmarks) == {str(log): ""}


async def test_a_line_that_is_too_long_is_passed_over_in_bounded_memory(
    reading: Reading, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_log_lines, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(_log_lines, "MAX_LINE_BYTES", 4000)
    add(log, message(1), "x" * 50_000, '"usage"' + "y" * 50_000, message(2))
    batch = await reading.poll()
    assert (len(batch.statements), batch.rejected) == (2, 1)
    assert "too long" in batch.notes[0]
    with log.open("a") as file:
        file.write("z" * 9000)
    await reading.poll()
    reading.restart()
    add(log, "z" * 9000, message(3))
    await reading.poll()
    assert reading.keys() == ["msg_1", "msg_2", "msg_3"]


async def test_a_long_history_is_read_over_many_polls_the_newest_file_first(
    reading: Reading, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_agent_logs, "_MOST_STATEMENTS", 10)
    monkeypatch.setattr(_agent_logs, "_MANY_BYTES", 100)
    for number in range(4):
        path = log.parent / f"s{number}.jsonl"
        add(path, *(message(10 * number + each) for each in range(10)))
        os.utime(path, (NOW - 1000 + number, NOW - 1000 + number))
    batch = await reading.poll()
    assert {each.key for each in batch.statements} == {f"msg_{30 + each}" for each in range(10)}
    assert "reading back: 0 MB in 3 files are left" in batch.notes[0]
    assert batch.again_seconds is not None
    await reading.read()
    assert reading.polls[-1].again_seconds is None
    assert len(reading.keys()) == 40


LINES = [
    message(1, 2, at=1),
    message(1, 9, at=3),
    message(1, 9, session="s2", at=3, cwd="/other"),
    message(1, 50, session="s3", isSidechain=True, request="req_side", at=2),
    message(2, 4),
    message(3, 7, at=59.9),
    message(3, 8, at=61 % 60),
    {"type": "user", "message": {"content": "words"}},
]


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["line", "line", "part", "poll", "poll", "restart", "lose"]),
            st.integers(0, 1),
            st.sampled_from(range(len(LINES))),
        ),
        min_size=8,
        max_size=30,
    )
)
async def test_any_order_of_writing_reading_and_restarting_gives_the_same_ledger(
    steps: list[tuple[str, int, int]],
) -> None:
    with TemporaryDirectory() as folder:
        followed, rest = Reading("claude-code", Path(folder)), dict.fromkeys(range(2), "")
        written: list[dict[str, Any]] = []
        for what, which, line in steps:
            path = Path(folder) / f"{which}.jsonl"
            if what in ("line", "part"):
                text = json.dumps(LINES[line]) + "\n"
                half = random.Random(line).randrange(1, len(text)) if what == "part" and not rest[which] else len(text)
                with path.open("a") as file:
                    file.write(rest[which] + text[:half])
                if rest[which] or half == len(text):
                    written.append(LINES[line])
                rest[which] = text[half:] if half < len(text) else ""
                if rest[which]:
                    written.append(LINES[line])
            elif what == "poll":
                await followed.poll()
            elif what in ("restart", "lose"):
                followed.restart({} if what == "lose" else None)
        for which, text in rest.items():
            with (Path(folder) / f"{which}.jsonl").open("a") as file:
                file.write(text)
        await followed.read()
    with TemporaryDirectory() as folder:
        whole = Reading("claude-code", Path(folder))
        add(Path(folder) / "all.jsonl", *sorted(written, key=json.dumps))
        await whole.read()
    assert followed.books.lines() == whole.books.lines()
    assert [each.key for each in followed.standing()] == [each.key for each in whole.standing()]
