"""Telling, with the real program: once each over kill -9, and a URL with a token that is nowhere to be read."""

import json
import os
import signal
import socket
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from infertop.alerts.form import alert_of
from tests.acceptance.hostile import says, serving, whole
from tests.acceptance.program import stop
from tests.acceptance.replayed import wait_for
from tests.acceptance.screen import on_screen
from tests.alerts.hooks import hooked

CANARY = "canary-0123456789-abcdef"
KILLS = 3
# Ten levels, two or three a second.
PRICING = """\
[host]
usd_per_hour = 144
[[budget]]
name = "tiny"
limit_usd = 0.10
period = "hour"
alert_at = [{levels}]
[alert]
per_hour = 1000
{alert}
"""


def pricing(infertop, alert, levels=10):
    path = infertop.folder / "prices.toml"
    path.write_text(PRICING.format(alert=alert, levels=", ".join(f"{n / 4}" for n in range(1, levels + 1))))
    return ("--pricing", "prices.toml")


def events(infertop):
    """The ids of what is to be told, by the events of the history."""
    connection = sqlite3.connect(f"file:{infertop.database}?mode=ro", uri=True)
    try:
        rows = [(key, json.loads(content)) for key, content in connection.execute("SELECT key, content FROM events")]
    except sqlite3.OperationalError:
        return set()
    finally:
        connection.close()
    host = socket.gethostname()
    return {alert_of(key, said, "opened", host)["id"] for key, said in rows if said["kind"] == "budget"}


def test_every_alert_is_told_once_over_kills_and_restarts(infertop):
    with hooked() as hook:
        words = pricing(infertop, f'webhook = "{hook.url}/x"')
        for _ in range(KILLS):
            told = len(hook.told)
            process = infertop.record(*words)
            wait_for(lambda told=told: len(hook.told) > told)
            process.kill()
            process.communicate()
        process = infertop.record(*words)
        wait_for(lambda: any("2.50" in each.body["summary"] or "250%" in each.body["summary"] for each in hook.told))
        assert stop(process, signal.SIGTERM)[0] == 0
        counted = Counter(hook.ids)
        assert set(counted) == events(infertop)
        assert len(counted) >= 4
        # What was told in the moment of a kill is told again under its id; nothing else is.
        assert sum(count - 1 for count in counted.values()) <= KILLS
        before = len(hook.told)
        process = infertop.record(*words, "--for", "2")
        assert process.communicate(timeout=60)
        assert len(hook.told) == before


def test_a_kill_while_it_is_being_told_has_it_told_again_under_the_same_id(infertop):
    heads = []
    with serving(lambda _client, stopped: stopped.wait(), heads) as url:
        words = pricing(infertop, f'webhook = "{url}"', levels=1)
        process = infertop.record(*words)
        wait_for(lambda: heads)
        process.kill()
        process.communicate()
    (first,) = [line for line in heads[0].split(b"\r\n") if line.lower().startswith(b"idempotency-key")]
    with hooked() as hook:
        pricing(infertop, f'webhook = "{hook.url}"', levels=1)
        process = infertop.record(*words)
        wait_for(lambda: hook.told)
        assert stop(process, signal.SIGTERM)[0] == 0
    assert hook.ids == [first.partition(b":")[2].strip().decode()]


@pytest.mark.parametrize("place", ["environment", "pricing.toml"])
def test_a_url_with_a_token_is_in_no_output_no_log_no_database_and_no_process_list(infertop, place):
    complaint = whole(b"no %s here" % CANARY.encode(), "404 Not Found", f"Location: /services/{CANARY}")
    heads = []
    with serving(says(complaint), heads) as url:
        infertop.more["HOOK_URL"] = f"{url}/services/{CANARY}"
        said = 'webhook_env = "HOOK_URL"' if place == "environment" else f'webhook = "{url}/services/{CANARY}"'
        # The command shows what it finds in its environment.
        words = pricing(infertop, said + '\ncommand = ["env"]')
        errors = infertop.folder / "said"
        with errors.open("w") as file:
            process = infertop.record(*words, stderr=file)
            wait_for(lambda: any(CANARY.encode() in head for head in heads))
            wait_for(lambda: "could not be told" in errors.read_text())
            shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert stop(process, signal.SIGTERM)[0] == 0
        for command in (("--once", "--json"), ("check",), ("alert", "--test")):
            done = infertop.run(*command, *infertop.read, *words)
            shown += (done.stdout + done.stderr).encode()
        with on_screen(infertop, *infertop.read, *words) as screen:
            screen.shows("could not be told")
            assert screen.leave() == 0
        shown += bytes(screen.out)
    infertop.folder.joinpath("prices.toml").unlink()
    assert "does not take it (HTTP 404): is the URL right?; set webhook of [alert]" in errors.read_text()
    assert f"alerts         told to {url} (json) and the command env".encode() in shown
    assert CANARY.encode() not in shown
    written = [path for path in infertop.folder.rglob("*") if path.is_file()]
    assert infertop.database in written
    assert [path for path in written if CANARY.encode() in path.read_bytes()] == []


def test_a_test_alert_is_sent_beside_a_recorder_and_its_status_says_what_came_of_it(infertop):
    with hooked(200, 200, 500) as hook:
        words = pricing(infertop, f'webhook = "{hook.url}"', levels=1)
        process = infertop.record(*words)
        wait_for(lambda: hook.told)
        good, bad = (infertop.run("alert", "--test", *words) for _ in range(2))
        assert stop(process, signal.SIGTERM)[0] == 0
    assert (good.returncode, bad.returncode) == (0, 1)
    assert f"webhook        {hook.url} (json)  told: HTTP 200 in " in good.stdout
    assert f"not told: 127.0.0.1:{hook.port} answers HTTP 500" in bad.stdout
    assert [each.body["kind"] for each in hook.told] == ["budget", "test", "test"]


def test_without_anybody_to_be_told_the_test_says_what_to_set(infertop):
    done = infertop.run("alert", "--test")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "infertop: nobody is named to be told: set webhook_env, webhook_file, webhook or command in [alert] of"
        " pricing.toml\n"
    )
    assert infertop.run("alert").returncode == 2
    dry = infertop.run("alert", "--dry-run")
    assert dry.returncode == 0
    assert [line.split('"')[3] for line in dry.stdout.splitlines() if line.startswith('  "format"')] == [
        "json",
        "slack",
        "alertmanager",
    ]


def test_from_a_folder_that_may_be_somebody_elses_nobody_is_told(infertop):
    with hooked() as hook:
        pricing(infertop, f'webhook = "{hook.url}"\ncommand = ["touch", "pwned"]', levels=1)
        os.rename(infertop.folder / "prices.toml", infertop.folder / "pricing.toml")
        done = infertop.run("record", *infertop.read, "--for", "4")
        assert done.returncode == 0
        assert events(infertop)
        assert infertop.run("alert", "--test").returncode == 2
    assert hook.told == []
    assert not (infertop.folder / "pwned").exists()
    assert "pricing.toml:10: alert.webhook is ignored" in done.stderr
    assert "pricing.toml:11: alert.command is ignored" in done.stderr
