from __future__ import annotations

import os
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from infertop.money.locate import Candidate
from infertop.money.reload import Watcher
from infertop.money.schema import Mistakes

LATER = 2e9  # long after any file of the test was written


def price(usd: str) -> str:
    return f"[host]\nusd_per_hour = {usd}\n"


def usd(watcher: Watcher) -> Decimal | None:
    host = watcher.current.settings.host
    return host.usd_per_hour if host else None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "pricing.toml"
    file.write_text(price("1"))
    return file


@pytest.fixture
def watcher(path: Path) -> Watcher:
    return Watcher([Candidate(path)], {}, LATER)


def test_a_file_that_did_not_change_is_not_read_again(
    watcher: Watcher, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infertop.money.load.read_file", lambda _: pytest.fail("read"))
    assert watcher.tick(LATER + 1) is None


def test_an_edit_is_dated(watcher: Watcher, path: Path) -> None:
    path.write_text(price("22"))
    loaded = watcher.tick(LATER + 10)
    assert loaded is watcher.current
    assert loaded is not None
    assert (usd(watcher), loaded.loaded_at, loaded.problem) == (22, LATER + 10, "")
    assert watcher.tick(LATER + 11) is None


def test_a_comment_does_not_date_the_prices_anew(watcher: Watcher, path: Path) -> None:
    path.write_text(price("1") + "# a remark\n")
    assert watcher.tick(LATER + 10) is None
    assert watcher.current.loaded_at == LATER


def test_a_mistake_keeps_the_old_prices_and_shows_the_first_sentence(watcher: Watcher, path: Path) -> None:
    path.write_text('timezone = "x"\n' + price("-1"))
    loaded = watcher.tick(LATER + 10)
    assert loaded is not None
    assert usd(watcher) == 1
    assert loaded.loaded_at == LATER
    assert loaded.problem.startswith("pricing.toml:1: timezone must be")
    assert loaded.problem.endswith("(and 1 more): the settings from before stay in use")
    assert watcher.tick(LATER + 11) is None
    path.write_text(price("1") + "#\n")
    mended = watcher.tick(LATER + 12)
    assert mended is not None
    assert (mended.problem, mended.loaded_at) == ("", LATER)


def test_a_file_that_is_gone_leaves_what_it_said_and_says_so_once(watcher: Watcher, path: Path) -> None:
    path.unlink()
    loaded = watcher.tick(LATER + 10)
    assert loaded is not None
    assert loaded.problem == f"{path} is gone: what it said last stays in use"
    assert usd(watcher) == 1
    assert watcher.tick(LATER + 11) is None
    path.write_text(price("3"))
    assert watcher.tick(LATER + 12) is not None
    assert usd(watcher) == 3


def test_a_file_that_was_asked_for_and_is_gone_is_the_same(path: Path) -> None:
    watcher = Watcher([Candidate(path, asked_for=True)], {}, LATER)
    path.unlink()
    loaded = watcher.tick(LATER + 10)
    assert loaded is not None
    assert "is gone" in loaded.problem


def test_a_file_that_is_replaced_by_another_of_the_same_size_and_time_is_seen(watcher: Watcher, path: Path) -> None:
    before = path.stat()
    other = path.with_name("new")
    other.write_text(price("2"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert watcher.tick(LATER + 10) is not None
    assert usd(watcher) == 2


def test_a_second_write_within_the_clock_of_the_file_system_is_seen(path: Path) -> None:
    written = path.stat()
    watcher = Watcher([Candidate(path)], {}, written.st_mtime)
    path.write_text(price("2"))
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert watcher.tick(written.st_mtime + 1) is not None
    assert usd(watcher) == 2
    assert watcher.tick(written.st_mtime + 1.5) is None


def test_a_file_that_appears_at_a_place_that_goes_first_takes_over_and_is_not_lost_again(path: Path) -> None:
    mine = path.with_name("mine.toml")
    watcher = Watcher([Candidate(mine), Candidate(path, trusted=False)], {}, LATER)
    assert watcher.current.path == path
    mine.write_text(price("5"))
    assert watcher.tick(LATER + 10) is not None
    assert (usd(watcher), watcher.current.path) == (5, mine)
    mine.unlink()
    assert watcher.tick(LATER + 11) is not None
    assert (usd(watcher), watcher.current.path) == (5, mine)


def test_a_better_placed_file_with_a_mistake_does_not_take_over(path: Path) -> None:
    mine = path.with_name("mine.toml")
    watcher = Watcher([Candidate(mine), Candidate(path)], {}, LATER)
    mine.write_text(price("-5"))
    loaded = watcher.tick(LATER + 10)
    assert loaded is not None
    assert loaded.problem.startswith("mine.toml:2: ")
    assert (usd(watcher), loaded.path) == (1, path)


def test_without_any_file_there_are_the_defaults_until_one_appears(tmp_path: Path) -> None:
    path = tmp_path / "pricing.toml"
    watcher = Watcher([Candidate(path)], {}, LATER)
    assert watcher.current.path is None
    assert watcher.tick(LATER + 1) is None
    path.write_text(price("2"))
    assert watcher.tick(LATER + 2) is not None
    assert usd(watcher) == 2


def test_infertop_does_not_start_with_a_mistake(path: Path) -> None:
    path.write_text(price("-1"))
    with pytest.raises(Mistakes):
        Watcher([Candidate(path)], {}, LATER)
    with pytest.raises(Mistakes, match="no such file"):
        Watcher([Candidate(path.with_name("none"), asked_for=True)], {}, LATER)


def test_what_was_ignored_of_a_file_that_is_not_trusted_is_told(path: Path) -> None:
    path.write_text('[[source]]\nkind = "vllm"\nurl = "http://10.0.0.1"\n')
    watcher = Watcher([Candidate(path, trusted=False)], None, LATER)
    assert watcher.current.settings.sources == ()
    assert len(watcher.current.notices) == 1


def test_ticks_from_many_threads_load_each_edit_once(watcher: Watcher, path: Path) -> None:
    path.write_text(price("22"))
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(watcher.tick(LATER + 10))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each is not None for each in results) == 1
