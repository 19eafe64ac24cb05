"""A history that cannot be written, is damaged, newer or somebody else's: it is said, and what can be done is done."""

import json
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from tests.acceptance.program import Program, risen, stop
from tests.acceptance.replayed import recording, replaying, wait_for
from tests.acceptance.screen import on_screen

PAGES = recording("vllm/0.32.0.jsonl.gz", stride=3)[8:]
PAGES = PAGES[: PAGES.index(None)]
HOST = "[host]\nusd_per_hour = 0.4\n"


@pytest.fixture
def infertop(tmp_path):
    (tmp_path / "prices.toml").write_text(HOST)
    program = Program(tmp_path)
    program.read += ("--pricing", "prices.toml")
    return program


@pytest.fixture
def engine():
    with replaying(PAGES) as server:
        yield server


def figures(reading):
    """Return what has to be known whatever the disk does."""
    (row,) = reading["models"]
    return row["tokens_per_second"]["output"] > 0 and reading["usd_per_hour"]["total"] == 0.4


def recorded(infertop, engine):
    """Record a little, and return the rows of the report."""
    process = infertop.record("--source", f"vllm={engine.url}")
    engine.wait_until_served(len(engine.served) + 4, process)
    assert stop(process, signal.SIGTERM)[0] == 0
    return infertop.report("--pricing", "prices.toml")


def test_a_place_that_cannot_be_written_keeps_the_history_in_memory(infertop, engine):
    words = ("--source", f"vllm={engine.url}", "--db", "/proc/infertop/history.db")
    done = infertop.run("--once", "--json", *infertop.read, *words)
    assert done.returncode == 0
    assert "history is kept in memory and lost at exit: /proc/infertop/history.db cannot be written" in done.stderr
    assert figures(infertop.once(*words))
    process = infertop.record(*words, "--for", "0.5")
    out, said = process.communicate(timeout=60)
    assert (out, said.count("lost at exit")) == ("", 1)
    with on_screen(infertop, *infertop.read, *words) as screen:
        screen.shows("tiny-llama", "memory")
        assert screen.leave() == 0


@pytest.fixture(scope="module")
def recorded_once(tmp_path_factory):
    program = Program(tmp_path_factory.mktemp("recorded"))
    (program.folder / "prices.toml").write_text(HOST)
    with replaying(PAGES) as server:
        return recorded(program, server), program.folder / "data"


@pytest.fixture
def history(infertop, recorded_once):
    """Give the program a history, and return the rows of its report."""
    rows, data = recorded_once
    shutil.copytree(data, infertop.folder / "data")
    return rows


def no_room():
    """Let no file grow beyond 60 kB, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_a_disk_that_is_full_from_the_start_keeps_the_history_in_memory(infertop, engine):
    words = (*infertop.read, "--interval", "0.3", "--source", f"vllm={engine.url}")
    done = infertop.run("--once", "--json", *words, preexec_fn=no_room)
    assert done.returncode == 0, done.stderr
    assert "history is kept in memory and lost at exit" in done.stderr
    assert "Traceback" not in done.stderr
    assert figures(json.loads(done.stdout))


def test_a_disk_that_fills_up_pauses_the_history_and_nothing_else(infertop, engine):
    words = ("--source", f"vllm={engine.url}")
    (before,) = recorded(infertop, engine)
    said = infertop.folder / "said"
    with said.open("w") as errors:
        process = infertop.record(*words, stderr=errors, preexec_fn=no_room)
        wait_for(lambda: "history paused" in said.read_text())
        engine.wait_until_served(len(engine.served) + 4, process)
        status, _, _ = stop(process, signal.SIGTERM)
    assert (status, "Traceback" in said.read_text()) == (1, False)
    assert "live figures go on" in said.read_text()
    with on_screen(infertop, *infertop.read, *words, preexec_fn=no_room) as screen:
        screen.shows("tiny-llama", "history paused")
        assert screen.leave() in (0, 1)
    # With room again it goes on, and what the engine did meanwhile is made up for.
    (after,) = recorded(infertop, engine)
    rise = risen(engine.served, {"output": "vllm:generation_tokens_total"})
    assert before["tokens"]["output"] < after["tokens"]["output"] == rise["output"]


def damage_header(path):
    with path.open("r+b") as file:
        file.write(b"\x00garbage" * 30)


def damage_middle(path):
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 8192)


def damage_end(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [damage_header, damage_middle, damage_end])
@pytest.mark.usefixtures("history")
def test_a_damaged_history_is_set_aside_and_a_new_one_begun(infertop, engine, damage):
    damage(infertop.database)
    done = infertop.run("--once", "--json", *infertop.read, "--source", f"vllm={engine.url}")
    assert done.returncode == 0
    assert "was damaged; it is now infertop.db.corrupt-" in done.stderr
    assert "Traceback" not in done.stderr
    asides = infertop.database.parent.glob("*.corrupt-*")
    (aside,) = [path for path in asides if not path.name.endswith(("-wal", "-shm"))]
    assert aside.stat().st_mode & 0o077 == 0
    assert infertop.report() != []


def test_an_empty_file_becomes_a_history(infertop, engine):
    infertop.database.parent.mkdir(parents=True)
    infertop.database.touch()
    assert figures(infertop.once("--source", f"vllm={engine.url}"))
    assert infertop.report() != []


def sql(path, statement):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_newer_history_is_read_and_not_written(infertop, engine, history):
    sql(infertop.database, "PRAGMA user_version = 99")
    before = infertop.database.read_bytes()
    done = infertop.run("--once", "--json", *infertop.read, "--source", f"vllm={engine.url}")
    assert done.returncode == 0
    assert "was written by a newer infertop" in done.stderr
    process = infertop.record("--source", f"vllm={engine.url}", "--for", "1")
    _, said = process.communicate(timeout=60)
    assert (process.returncode, "nothing was recorded" in said, "newer infertop" in said) == (1, True, True)
    assert infertop.database.read_bytes() == before
    assert infertop.report("--pricing", "prices.toml") == history


def test_another_programs_database_is_left_alone(infertop, engine):
    infertop.database.parent.mkdir(parents=True)
    sql(infertop.database, "CREATE TABLE theirs (x)")
    before = infertop.database.read_bytes()
    done = infertop.run("--once", "--json", *infertop.read, "--source", f"vllm={engine.url}")
    assert "another program's database" in done.stderr
    assert infertop.database.read_bytes() == before
    report = infertop.run("report")
    assert (report.returncode, "is not a history of infertop" in report.stderr) == (1, True)


def test_a_second_recorder_says_who_writes_and_a_reading_beside_one_is_its_own(infertop, engine):
    process = infertop.record("--source", f"chat=vllm={engine.url}")
    engine.wait_until_served(8, process)
    said = infertop.folder / "said"
    with said.open("w") as errors:
        second = infertop.record("--source", f"chat=vllm={engine.url}", stderr=errors)
        wait_for(lambda: f"is written by process {process.pid}: waiting a moment" in said.read_text())
        assert stop(second, signal.SIGTERM)[0] == 1  # or else when the moment is over
    assert said.read_text().endswith("nothing was recorded\n")
    asked = len(engine.served)
    engine.wait_until_served(asked + 12, process)
    reading = infertop.once()  # it knows the source from the recorder alone
    assert figures(reading)
    assert reading["models"][0]["source"] == "chat"
    with on_screen(infertop, *infertop.read) as screen:
        screen.shows("tiny-llama", str(process.pid))
        process.kill()
        process.communicate()
        screen.shows("gone")
        assert screen.leave() == 0
    # The lock went with the process: the next one writes.
    assert infertop.run("record", *infertop.read, "--for", "0.1").returncode == 0


@pytest.mark.usefixtures("history")
def test_a_lock_that_another_program_holds_pauses_the_history_and_loses_nothing(infertop, engine):
    said = infertop.folder / "said"
    hold = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE')"
    command = [sys.executable, "-c", f"{hold}; print('held', flush=True); sys.stdin.read()", infertop.database]
    with said.open("w") as errors:
        process = infertop.record("--source", f"vllm={engine.url}", stderr=errors)
        wait_for(lambda: "recording" in said.read_text())
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout.readline() == b"held\n"
            wait_for(lambda: "is locked by another program" in said.read_text())
            holder.communicate()
        wait_for(lambda: "the history is written again" in said.read_text())
        assert stop(process, signal.SIGTERM)[0] == 0


def test_there_is_nothing_to_report_before_anything_was_recorded(infertop):
    done = infertop.run("report")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no history at" in done.stderr
