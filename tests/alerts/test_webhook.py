"""Telling a webhook: real servers that take it, refuse it, are slow, redirect or talk for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infertop.alerts import webhook
from infertop.alerts.outcome import Outcome
from infertop.engine.collector import Unavailable
from infertop.engine.secrets import redact
from infertop.money.settings import Alert
from tests.acceptance.hostile import closed_port
from tests.alerts.events import TS, alert
from tests.alerts.hooks import hooked
from tests.engine.servers import answer, forever, serve, then_close, then_hang

TOKEN = "/services/T0000/B0000/canary-0123456789-abcdef?key=canary-9876543210"


def where(url: str, form: str = "json") -> webhook.Webhook:
    found = webhook.webhook_of(Alert(webhook=url + TOKEN, format=form))
    assert found is not None
    return found


async def send(url: str, form: str = "json") -> Outcome:
    to = where(url, form)
    outcome = await webhook.send(to, to.body(alert(), TS), "message-1")
    assert "canary" not in outcome.sentence
    assert "/services" not in outcome.sentence
    return outcome


async def test_it_is_posted_whole_with_its_id_to_the_path_that_was_configured() -> None:
    with hooked() as hook:
        outcome = await send(hook.url)
    (told,) = hook.told
    assert told.path == TOKEN
    assert told.body == alert()
    assert (told.headers["content-type"], told.headers["idempotency-key"]) == ("application/json", "message-1")
    assert outcome.told
    assert outcome.sentence.startswith("HTTP 200 in ")
    assert outcome.sentence.endswith(": ok")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_2xx_is_taken_for_told(status: int) -> None:
    async with serve(answer(status=f"{status} Fine")) as server:
        assert (await send(server.url)).told


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_go_better_later_is_tried_again(status: int) -> None:
    async with serve(answer(status=f"{status} No", Retry_After="17")) as server:
        outcome = await send(server.url)
        assert outcome == Outcome(False, f"{server.where} answers HTTP {status}", again=True, retry_seconds=17.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
async def test_what_will_not_go_better_is_not(status: int) -> None:
    async with serve(answer(b"no_service", status=f"{status} No")) as server:
        outcome = await send(server.url)
        assert outcome == Outcome(
            False, f"{server.where} does not take it (HTTP {status}: no_service): is the URL right?"
        )


async def test_what_a_server_says_is_repeated_only_where_it_is_a_few_plain_words() -> None:
    for body in (b"<html>no</html>", b"see " + TOKEN.encode(), b"\x1b[31m", b"a" * 200):
        async with serve(answer(body, status="400 Bad")) as server:
            outcome = await send(server.url)
            assert outcome.sentence == f"{server.where} does not take it (HTTP 400): is the URL right?"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    with hooked() as elsewhere:
        async with serve(answer(status=f"{status} Moved", Location=elsewhere.url + TOKEN)) as server:
            outcome = await send(server.url)
            assert outcome.sentence == (
                f"{server.where} redirects elsewhere (HTTP {status}), which is not followed: correct the URL"
            )
            assert (outcome.told, outcome.again) == (False, False)
    assert elsewhere.told == []


async def test_nobody_there_and_a_connection_that_is_cut_are_tried_again() -> None:
    outcome = await send(closed_port())
    assert outcome.again
    assert "connection refused at 127.0.0.1:" in outcome.sentence
    async with serve(then_close(b"HTTP/1.1 200")) as server:
        outcome = await send(server.url)
        assert outcome.again
        assert not outcome.told


async def test_a_server_that_does_not_answer_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.1)
    async with serve(then_hang()) as server:
        outcome = await send(server.url)
        assert outcome == Outcome(False, f"{server.where} did not answer an alert within 0.1 s", again=True)


@pytest.mark.parametrize("act", ["endless", "hanging", "huge", "broken"])
async def test_a_good_status_is_enough_whatever_comes_behind_it(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infertop.engine.answer._SHORTLY_SECONDS", 0.1)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    acts = {
        "endless": forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n", 0.01),
        "hanging": then_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        "huge": then_hang(head),
        "broken": then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
    }
    async with serve(acts[act]) as server:
        assert (await send(server.url)).told


async def test_each_format_has_its_body_and_alertmanager_its_path() -> None:
    with hooked() as hook:
        for form in ("slack", "alertmanager"):
            await send(hook.url, form)
        found = webhook.webhook_of(Alert(webhook=hook.url + "/api/v2/alerts/"))
        assert found is not None
        await webhook.send(found, found.body(alert(), TS), "x")
    slack, manager, named = hook.told
    assert list(slack.body) == ["text"]
    assert manager.path.startswith("/services/T0000/B0000/canary-0123456789-abcdef/api/v2/alerts?key=")
    assert [each["labels"]["alertname"] for each in manager.body] == ["InfertopIncident"]
    assert (named.path, isinstance(named.body, list)) == ("/api/v2/alerts/", True)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("http://127.0.0.1:9093/api/v2/alerts", "alertmanager"),
        ("https://example.com/hook", "json"),
    ],
)
def test_the_format_is_known_by_the_url_where_none_is_said(url: str, form: str) -> None:
    found = webhook.webhook_of(Alert(webhook=url))
    assert found is not None
    assert found.format == form


def test_only_its_origin_is_shown_and_logs_have_neither_the_url_nor_its_token() -> None:
    found = where("https://hooks.example.com")
    assert found.shown == "https://hooks.example.com"
    assert where("https://hooks.example.com:8443").shown == "https://hooks.example.com:8443"
    assert "canary" not in repr(found)
    said = redact(f"cannot post to https://hooks.example.com{TOKEN}: token canary-0123456789-abcdef, canary-9876543210")
    assert "canary" not in said


def test_the_url_comes_from_the_environment_or_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "hook"
    file.write_text("https://example.com" + TOKEN + "\n")
    file.chmod(0o600)
    for alerting, environ in (
        (Alert(webhook_env="HOOK"), {"HOOK": f"https://example.com{TOKEN} "}),
        (Alert(webhook_file=str(file)), {}),
    ):
        found = webhook.webhook_of(alerting, environ)
        assert found is not None
        assert found.path.reveal() == TOKEN
    assert webhook.webhook_of(Alert(), {}) is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "the environment variable HOOK (webhook_env) is not set"),
        (" ", "the environment variable HOOK (webhook_env) is not set"),
        ("a b", "the environment variable HOOK does not hold a webhook: one line of plain characters is expected"),
        ("canary", "the URL of [alert] webhook_env must be a URL like https://alerts.example.com/infertop"),
        (
            "http://canary.example.com/",
            "the URL of [alert] webhook_env must be https, or http on this machine: what it costs is nobody else's"
            " business",
        ),
    ],
)
def test_a_url_that_cannot_be_had_is_said_without_repeating_it(value: str | None, sentence: str) -> None:
    with pytest.raises(Unavailable) as caught:
        webhook.webhook_of(Alert(webhook_env="HOOK"), {} if value is None else {"HOOK": value})
    assert caught.value.sentence == sentence


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "hook"
    file.write_text("https://example.com" + TOKEN)
    file.chmod(0o644)
    with pytest.raises(Unavailable, match=r"others can read the webhook file .* run `chmod 600 "):
        webhook.webhook_of(Alert(webhook_file=str(file)), {})


async def test_what_is_sent_is_ascii_json_whatever_the_names_are() -> None:
    with hooked() as hook:
        to = where(hook.url)
        body = {**alert(), "scope": {"model": "gpt\ud800ü\u202e"}}
        assert (await webhook.send(to, body, "m\r\nX-Y: ü")).told
    assert hook.ids == ["m__X-Y:__"]
    assert json.dumps(hook.told[0].body)
    assert hook.told[0].body["scope"]["model"].startswith("gpt")
