"""`infertop alert` and the line of `infertop check`: who is told, what came of it, and nothing secret."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from infertop import cli
from infertop.commands.alert_check import alert_lines
from infertop.money.settings import Alert
from tests.acceptance.hostile import closed_port
from tests.alerts.hooks import hooked

TOKEN = "/services/canary-0123456789-abcdef"


def alert(folder: Path, settings: str, *words: str) -> int:
    file = folder / "pricing.toml"
    file.write_text(f"[alert]\n{settings}\n")
    return cli.main(["alert", "--pricing", str(file), *words])


def test_everybody_is_told_and_what_they_answered_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = json.dumps([sys.executable, "-S", "-c", "print('sent to\\x1b[31m you')", "--token", "canary"])
    with hooked() as hook:
        assert alert(tmp_path, f'webhook = "{hook.url}{TOKEN}"\nformat = "slack"\ncommand = {program}', "--test") == 0
    sent, webhook, command, output = capsys.readouterr().out.splitlines()
    assert sent == "sent           this is a test: incidents and budgets will be told here"
    assert webhook.startswith(f"webhook        {hook.url} (slack)  told: HTTP 200 in ")
    assert command == f"command        {Path(sys.executable).name}  told: exit status 0"
    assert output == "               | sent to\N{REPLACEMENT CHARACTER}[31m you"
    assert [list(each.body) for each in hook.told] == [["text"]]


def test_one_that_is_not_told_is_status_1_and_the_other_is_told_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alert(tmp_path, f'webhook = "{closed_port()}{TOKEN}"\ncommand = ["true"]', "--test") == 1
    out = capsys.readouterr().out
    assert "not told: connection refused at 127.0.0.1:" in out
    assert "command        true  told: exit status 0" in out
    assert "canary" not in out
    assert alert(tmp_path, 'command = ["false"]', "--test") == 1
    assert "not told: false ended with status 1" in capsys.readouterr().out
    assert alert(tmp_path, 'webhook_env = "NOT_SET"', "--test") == 1
    assert "not told: the environment variable NOT_SET (webhook_env) is not set" in capsys.readouterr().out


def test_wrong_use_and_wrong_configuration_are_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert alert(tmp_path, "") == 2
    assert "infertop alert --test" in capsys.readouterr().err
    assert alert(tmp_path, "sigma = 3", "--test") == 2
    assert "nobody is named to be told" in capsys.readouterr().err
    assert alert(tmp_path, f'webhook = "http://example.com{TOKEN}"', "--test") == 2
    said = capsys.readouterr().err
    assert "pricing.toml:2: alert.webhook must be https" in said
    assert "canary" not in said


def test_a_dry_run_shows_every_format_and_sends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with hooked() as hook:
        assert alert(tmp_path, f'webhook = "{hook.url}"', "--test", "--dry-run") == 0
    assert hook.told == []
    shown = capsys.readouterr().out.replace("}\n{", "},{")
    forms = {each["format"]: each["body"] for each in json.loads(f"[{shown}]")}
    assert list(forms) == ["json", "slack", "alertmanager"]
    assert cli.main(["alert", "--schema"]) == 0
    jsonschema.validate(forms["json"], json.loads(capsys.readouterr().out))


def test_the_line_of_a_check_names_who_is_told_and_what_is_wrong_with_them() -> None:
    said = Alert(webhook=f"https://hooks.slack.com{TOKEN}", command=("true", "canary"), per_hour=5)
    assert list(alert_lines(said, {})) == [
        "alerts         told to https://hooks.slack.com (slack) and the command true, at most 5 messages an hour to"
        " each"
    ]
    assert list(alert_lines(Alert(webhook_env="HOOK", command=("/no/such/program",)), {})) == [
        "alerts         told to a webhook and the command program, at most 20 messages an hour to each",
        "               ! the environment variable HOOK (webhook_env) is not set",
        "               ! there is no program program that can be started",
    ]
    assert list(alert_lines(Alert(), {})) == [
        "alerts         on the screen alone; to be told elsewhere, set webhook_env, webhook_file, webhook or command in"
        " [alert] of pricing.toml"
    ]
