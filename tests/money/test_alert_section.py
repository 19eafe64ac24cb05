"""[alert]: who is told, and what its values may be."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infertop.money.load import parse
from infertop.money.locate import distrust
from infertop.money.schema import Mistakes
from infertop.money.settings import Alert, Settings

TOKEN = "T00000000/B00000000/canary0123456789"
SLACK = f"https://hooks.slack.com/services/{TOKEN}"


def alert(text: str) -> Alert:
    return parse(f"[alert]\n{text}".encode()).alert


def mistakes(text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        alert(text)
    return [each.removeprefix("pricing.toml:") for each in caught.value.sentences]


def test_everything_that_may_stand_there() -> None:
    read = alert(
        f'webhook = "{SLACK}?a=b"\nformat = "slack"\ncommand = ["notify.sh", "--to", "me"]\nper_hour = 5\n'
        'floor_usd = 0\nratio = 1.5\nbell = true\nosc = "both"'
    )
    assert read.webhook == f"{SLACK}?a=b"
    assert (read.format, read.command, read.per_hour) == ("slack", ("notify.sh", "--to", "me"), 5)
    assert (read.floor_usd, read.ratio, read.bell, read.osc) == (Decimal(0), Decimal("1.5"), True, (9, 777))
    assert read.where == (("webhook", "pricing.toml:2"), ("command", "pricing.toml:4"))
    assert read.has_webhook


def test_nobody_is_told_unless_somebody_is_named() -> None:
    read = Settings().alert
    assert not read.has_webhook
    assert (read.command, read.bell, read.osc, read.per_hour) == ((), False, (), 20)
    assert (read.floor_usd, read.ratio) == (None, None)


@pytest.mark.parametrize(("said", "meant"), [("9", (9,)), ("777", (777,)), ("false", ())])
def test_notifications_of_the_terminal(said: str, meant: tuple[int, ...]) -> None:
    assert alert(f"osc = {said}").osc == meant


@pytest.mark.parametrize(
    "url", ["http://localhost:9093", "http://127.0.0.1:1/x", "http://[::1]:1/x", "https://a.b/c?d=e"]
)
def test_urls_that_may_be_told(url: str) -> None:
    assert alert(f'webhook = "{url}"').webhook == url


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('webhook = "http://example.com/x"',
         "2: alert.webhook must be https, or http on this machine: what it costs is nobody else's business"),
        ('webhook = "ftp://example.com"', "2: alert.webhook must be a URL like https://alerts.example.com/infertop"),
        ('webhook = "https://"', "2: alert.webhook must be a URL like https://alerts.example.com/infertop"),
        ('webhook = "https://a:99999/"', "2: alert.webhook must be a URL like https://alerts.example.com/infertop"),
        ('webhook = "https://me:word@a/"', "2: alert.webhook must not hold a user or a password"),
        ('webhook = "https://a/#b"', "2: alert.webhook must not have a # in it"),
        ('webhook = "https://a/ b"',
         '2: alert.webhook must be a URL in quotes, like "https://alerts.example.com/infertop"'),
        ("webhook = 5", '2: alert.webhook must be a URL in quotes, like "https://alerts.example.com/infertop"'),
        ('webhook = "https://a/b"\nwebhook_env = "A"', "3: alert.webhook_env stands beside alert.webhook: keep one"),
        ('webhook_env = "A"\nwebhook_file = "a"', "3: alert.webhook_file stands beside alert.webhook_env: keep one"),
        (f'webhook_env = "{SLACK}"',
         "2: alert.webhook_env must be the name of an environment variable, never the key itself"),
        ('format = "slack"',
         "2: alert.format is of a webhook, and there is none: add one of webhook, webhook_env, webhook_file"),
        ('webhook_env = "A"\nformat = "slak"',
         '3: alert.format must be one of json, slack, alertmanager; did you mean "slack"?'),
        ('command = "notify.sh"',
         '2: alert.command must be a list of words, because no shell reads it: ["notify.sh", "--urgent"]'),
        ("command = []", "2: alert.command must be a list in brackets of 1 to 64 values"),
        ('command = ["a", 5]', "2: alert.command[1] must be a text in quotes"),
        ("per_hour = 0", "2: alert.per_hour must be a whole number from 1 to 1000"),
        ("osc = true", '2: alert.osc must be 9, 777, "both" or false'),
        ("osc = 8", '2: alert.osc must be 9, 777, "both" or false'),
        ('bell = "yes"', "2: alert.bell must be true or false"),
        ("ratio = 1", "2: alert.ratio must be a number above 1 and at most 1000"),
        ("floor_usd = -1", "2: alert.floor_usd must be a number of at least 0"),
        ('webhok = "https://a/b"', '2: unknown key "webhok" in alert; did you mean "webhook"?'),
    ],
)  # fmt: skip
def test_every_mistake_has_its_line_and_its_sentence(text: str, sentence: str) -> None:
    assert mistakes(text) == [sentence]


@pytest.mark.parametrize("key", ["webhook_env", "webhook_file", "format", "command", "osc", "webhok"])
def test_a_url_with_a_token_is_in_no_message_wherever_it_stands(key: str) -> None:
    assert all(TOKEN not in each for each in mistakes(f'{key} = "{SLACK} "'))


def test_a_url_with_a_token_is_not_shown_with_the_settings() -> None:
    assert TOKEN not in repr(parse(f'[alert]\nwebhook = "{SLACK}"'.encode()))


def test_a_file_that_may_be_somebody_elses_names_nobody_to_be_told() -> None:
    text = f'[alert]\nsigma = 3\nwebhook = "{SLACK}"\nformat = "slack"\ncommand = ["sh"]\nbell = true'
    kept, notices = distrust(parse(text.encode()))
    assert kept.alert == Alert(sigma=Decimal(3), bell=True)
    assert [each.split(",")[0] for each in notices] == [
        "pricing.toml:3: alert.webhook is ignored",
        "pricing.toml:5: alert.command is ignored",
    ]
    assert TOKEN not in "".join(notices)
