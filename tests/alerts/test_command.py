"""Telling a program: what it gets, what it does not get, and that it is ended with its children."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import pytest

from infertop.alerts import command
from infertop.alerts.outcome import Outcome
from infertop.engine.secrets import Secret
from tests.acceptance.replayed import wait_for
from tests.alerts.events import alert

CANARY = "canary-0123456789-abcdef"


def script(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "tell.py"
    path.write_text(text)
    return (sys.executable, "-S", str(path))


async def run(words: tuple[str, ...], seconds: float = 20.0) -> Outcome:
    return await command.run(words, alert(), command.environment(alert(), os.environ), limit_seconds=seconds)


async def test_it_gets_the_alert_as_json_and_the_main_things_as_variables(tmp_path: Path) -> None:
    words = script(
        tmp_path,
        "import json, os, sys\n"
        "said = json.load(sys.stdin)\n"
        "own = {k: v for k, v in os.environ.items() if k.startswith('INFERTOP_ALERT_')}\n"
        "print(json.dumps([said, own, sys.argv[1:]]))\n",
    )
    outcome = await run((*words, "$HOME; true", "*"))
    assert (outcome.told, outcome.sentence) == (True, "exit status 0")
    said, own, arguments = json.loads(outcome.output)
    assert said == alert()
    assert arguments == ["$HOME; true", "*"]
    assert own == {
        "INFERTOP_ALERT_ID": said["id"], "INFERTOP_ALERT_INCIDENT": said["incident"],
        "INFERTOP_ALERT_STATUS": "firing", "INFERTOP_ALERT_KIND": "incident", "INFERTOP_ALERT_SEVERITY": "critical",
        "INFERTOP_ALERT_SUMMARY": said["summary"], "INFERTOP_ALERT_CAUSE": said["cause"],
        "INFERTOP_ALERT_SINCE": said["since"],
    }  # fmt: skip


def test_it_gets_no_variable_that_may_hold_a_key() -> None:
    Secret(CANARY)
    environ = {
        "PATH": "/bin", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus", "LANG": "C.UTF-8",
        "OPENAI_ADMIN_KEY": "a", "anthropic_api_key": "b", "GITHUB_TOKEN": "c", "PGPASSWORD": "d",
        "AWS_SECRET_ACCESS_KEY": "e", "MY_HOOK": "f", "SLACK_WEBHOOK": "g", "PLAIN": f"x{CANARY}",
        "DATABASE": "postgres://me:word@db/x",
    }  # fmt: skip
    given = command.environment(alert(), environ, {"MY_HOOK"})
    assert {name for name in given if not name.startswith("INFERTOP_")} == {"PATH", "DBUS_SESSION_BUS_ADDRESS", "LANG"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raise SystemExit(3)", "ended with status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
    ],
)
async def test_another_status_is_not_told_and_tried_again(tmp_path: Path, text: str, sentence: str) -> None:
    outcome = await run(script(tmp_path, text))
    name = Path(sys.executable).name
    assert (outcome.told, outcome.again, outcome.sentence) == (False, True, f"{name} {sentence}")


async def test_a_program_that_is_not_there_is_not_tried_again(tmp_path: Path) -> None:
    assert await run((str(tmp_path / "nothing"),)) == Outcome(
        False, "nothing cannot be started: no such file or directory"
    )
    assert await run((str(tmp_path),)) == Outcome(False, f"{tmp_path.name} cannot be started: permission denied")
    assert not (await run(("a\0b",))).told


def test_its_arguments_are_never_shown() -> None:
    assert command.shown(("/opt/bin/notify", "--token", CANARY)) == "notify"


async def test_it_need_not_read_and_what_it_says_is_kept_in_part(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "infertop.alerts.command")
    Secret(CANARY)
    words = script(tmp_path, f"import sys\nsys.stdin.close()\nprint('{CANARY}')\nprint('x' * 9_000_000)\n")
    outcome = await run(words)
    assert outcome.told
    assert len(outcome.output) <= 4096
    assert outcome.output.startswith("***")
    assert CANARY not in caplog.text
    assert "xxx" in caplog.text


async def test_what_it_leaves_running_holds_nobody_up(tmp_path: Path) -> None:
    words = script(tmp_path, "import subprocess\nsubprocess.Popen(['sleep', '20'])\n")
    async with asyncio.timeout(10):
        assert (await run(words)).told


@pytest.mark.parametrize("how", ["late", "cancelled", "cancelled at once"])
async def test_one_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, how: str) -> None:
    pids = tmp_path / "pids"
    words = script(
        tmp_path,
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "child = subprocess.Popen(['sh', '-c', 'trap \"\" TERM; sleep 60'])\n"
        f"open({str(pids)!r} + '.new', 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(pids)!r} + '.new', {str(pids)!r})\n"
        "time.sleep(60)\n",
    )
    running = asyncio.create_task(run(words, 1.0 if how == "late" else 60.0))
    if how == "cancelled at once":
        for _ in range(3):
            await asyncio.sleep(0)
        wait_for(pids.exists)  # nothing else runs here meanwhile: it has begun, and nobody knows yet
    else:
        await asyncio.to_thread(wait_for, pids.exists)
    if how == "late":
        outcome = await running
        assert outcome == Outcome(
            False, f"{Path(sys.executable).name} did not end within 1 s, and was ended", again=True
        )
    else:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    for pid in map(int, pids.read_text().split()):
        await asyncio.to_thread(wait_for, lambda pid=pid: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
