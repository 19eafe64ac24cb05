"""Opening the database, in whatever state it is."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infertop.history import check, migrations
from infertop.history import open as opening
from infertop.history.connect import uri
from infertop.history.files import is_written, network_filesystem, writer_pid
from infertop.history.open import Mode, open_store
from infertop.history.reader import Reader, Unreadable
from infertop.history.schema import VERSION
from tests.history.world import START, ledger, record, rows, writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "infertop.db"


def recorded(path: Path, seconds: int = 200) -> None:
    """A database with a few minutes in it."""
    made = writer(path, START)
    record(made, 0, seconds)
    made.finish(START + seconds)


def mode(path: Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_only_the_owner_may_read_the_files(path: Path) -> None:
    old = os.umask(0o022)
    try:
        made = writer(path, START)
        record(made, 0, 3)
        files = {file.name: mode(file) for file in path.parent.iterdir()}
        assert set(files) == {f"infertop.db{side}" for side in ("", "-wal", "-shm", ".lock")}
        assert set(files.values()) == {0o600}
        assert mode(path.parent) == 0o700
        made.finish(START + 3)
    finally:
        os.umask(old)


def test_a_second_infertop_is_a_viewer_that_knows_who_writes(path: Path) -> None:
    first = open_store(path, START)
    assert first.lock is not None
    first.lock.note(1)
    second = open_store(path, START)
    assert (second.mode, second.writer_pid, second.connection) == (Mode.VIEWER, os.getpid(), None)
    first.close()
    third = open_store(path, START)
    assert third.mode is Mode.WRITER
    third.close()


def test_a_writer_that_was_killed_leaves_no_lock_behind(path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from infertop.history.open import open_store\n"
        "store = open_store(Path(sys.argv[1]), 0.0); store.lock.note(0); print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        assert open_store(path, START).mode is Mode.VIEWER
        assert is_written(path)
        assert writer_pid(path) == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not is_written(path)
    again = open_store(path, START)
    assert again.mode is Mode.WRITER
    again.close()


def header(content: bytearray) -> bytearray:
    content[:100] = b"\xff" * 100
    return content


def first_page(content: bytearray) -> bytearray:
    content[100:4096] = b"\x5a" * 3996
    return content


def middle(content: bytearray) -> bytearray:
    for page in range(3, len(content) // 4096, 2):
        content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    return content


def truncated(content: bytearray) -> bytearray:
    return content[: len(content) // 2]


def garbage(content: bytearray) -> bytearray:
    return bytearray(b"this was never a database\n" * 400)


@pytest.mark.parametrize("damage", [header, first_page, middle, truncated, garbage])
def test_a_damaged_database_is_moved_aside_and_a_new_one_begun(
    path: Path, damage: Callable[[bytearray], bytearray]
) -> None:
    recorded(path)
    path.write_bytes(bytes(damage(bytearray(path.read_bytes()))))
    broken = path.read_bytes()
    store = open_store(path, START + 1000)
    assert store.mode is Mode.WRITER
    (aside,) = path.parent.glob("*.corrupt-*")
    assert aside.name.startswith("infertop.db.corrupt-1981")
    assert aside.read_bytes() == broken
    assert "was damaged" in store.notices[0]
    assert aside.name in store.notices[0]
    assert rows(path, "SELECT count(*) FROM lines") == [(0,)]
    store.close()


def test_a_file_without_content_is_a_new_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = open_store(path, START)
    assert (store.mode, store.notices) == (Mode.WRITER, [])
    store.close()


def test_a_log_that_was_damaged_is_said(path: Path) -> None:
    made = writer(path, START)
    record(made, 0, 200)
    content = bytearray(Path(f"{path}-wal").read_bytes())
    database = path.read_bytes()
    made.finish(START + 200)
    content[100_000:100_200] = b"\x00" * 200
    path.write_bytes(database)
    Path(f"{path}-wal").write_bytes(content)
    store = open_store(path, START + 300)
    assert store.mode is Mode.WRITER
    assert "its log was damaged" in store.notices[0]
    store.close()


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = path.read_bytes()
    store = open_store(path, START)
    assert store.mode is Mode.MEMORY
    assert "another program's database and was left alone; choose another --db" in store.notices[0]
    assert path.read_bytes() == before
    store.close()
    assert not is_written(path)


def test_a_database_of_a_newer_version_is_only_read(path: Path) -> None:
    recorded(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    store = open_store(path, START)
    assert (store.mode, store.connection) == (Mode.READ_ONLY, None)
    assert f"was written by a newer infertop (schema 99, this one knows {VERSION})" in store.notices[0]
    reader = Reader(path)
    assert reader.ask(lambda c: c.execute("SELECT count(*) FROM lines").fetchone())[0] > 0
    reader.close()


def test_a_folder_that_is_a_file_means_memory(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    store = open_store(tmp_path / "data" / "infertop.db", START)
    assert store.mode is Mode.MEMORY
    assert store.notices[0].startswith("history is kept in memory and lost at exit: ")
    store.close()


AS_NOBODY = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from infertop.history.open import open_store
open_store(Path(sys.argv[2]), 360000000.0).close()  # all is imported: nobody may not be able to read the library
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
store = open_store(Path(sys.argv[1]), 360000000.0)
print(store.mode, *store.notices)
"""


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_place_that_cannot_be_written_means_memory(what: str, tmp_path: Path) -> None:
    path = tmp_path / "data" / "infertop.db"
    recorded(path, 3)
    for each in path.parent.iterdir():
        each.chmod(0o444)
    Path(f"{path}.lock").chmod(0o666)
    path.parent.chmod(0o555 if what == "folder" else 0o777)
    for parent in path.parent.parents:
        if parent.stat().st_uid == os.getuid() and str(parent).startswith(str(tmp_path.parent.parent)):
            parent.chmod(0o755)
    code = AS_NOBODY.format(root=os.getcwd())
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "other.db")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.stdout.startswith("memory history is kept in memory and lost at exit: "), found.stderr
    assert f"what {path} has still counts" in found.stdout
    path.parent.chmod(0o755)


def test_a_network_file_system_is_told_from_a_local_one() -> None:
    mounts = [("/", "ext4"), ("/home", "nfs4"), ("/home/ada/local", "xfs")]
    assert network_filesystem(Path("/home/ada/infertop.db"), mounts) == "nfs4"
    assert network_filesystem(Path("/home/ada/local/infertop.db"), mounts) == ""
    assert network_filesystem(Path("/homes/infertop.db"), mounts) == ""


def test_on_a_network_file_system_the_log_is_not_shared(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "network_filesystem", lambda _path: "nfs4")
    made = writer(path, START)
    record(made, 0, 130)
    assert not Path(f"{path}-wal").exists()
    assert rows(path, "PRAGMA journal_mode") == [("delete",)]
    assert ledger(path)
    summary = made.finish(START + 130)
    assert "is on a network file system (nfs4)" in summary.notices[0]


def test_a_migration_that_fails_leaves_the_database_as_it_was(path: Path) -> None:
    recorded(path)
    before = ledger(path)
    steps = migrations.migrations()

    @steps()
    def m999_fails(db: object) -> None:
        db.execute("CREATE TABLE half (a)")  # type: ignore[attr-defined]
        raise sqlite3.OperationalError("no")

    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection, steps, VERSION + 1)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone()
    connection.close()
    assert ledger(path) == before


def test_looking_for_damage_ends_in_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(path)
    monkeypatch.setattr(check, "CHECK_SECONDS", -1.0)
    store = open_store(path, START)
    assert store.mode is Mode.WRITER
    store.close()


def test_a_reader_says_why_it_cannot_read(path: Path) -> None:
    with pytest.raises(Unreadable, match=r"there is no history at .*infertop.db; infertop record makes one"):
        Reader(path)
    path.parent.mkdir()
    path.write_bytes(b"no database " * 1000)
    for where in (path, f"{uri(path)}&immutable=1"):
        with pytest.raises(Unreadable, match=rf"{path} is damaged"):
            Reader(where)
    other = path.with_name("an other.toml")
    path.rename(other)
    for where in (other, uri(other)):
        with pytest.raises(Unreadable, match=rf"^{other} is no database, not a history of infertop$"):
            Reader(where)
    path.touch()
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE meta (a)")
    other.close()
    with pytest.raises(Unreadable, match="is not a history of infertop"):
        Reader(path)
