"""Whom an ssh URL means, and what ssh is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.engine.ssh_target import Target

CONTROL = Path("/run/user/1000/infertop-ssh-7-x/c1")


@pytest.mark.parametrize(
    ("url", "target", "shown", "label"),
    [
        ("ssh://gpubox", Target("gpubox"), "gpubox", "gpubox"),
        ("ssh://me@GpuBox/", Target("GpuBox", "me"), "me@GpuBox", "gpubox"),
        ("ssh://me@10.0.0.5:2222", Target("10.0.0.5", "me", 2222), "-p 2222 me@10.0.0.5", "10.0.0.5-2222"),
        ("ssh://me@h.example:22", Target("h.example", "me", 22), "-p 22 me@h.example", "h.example"),
        ("ssh://[fd00::7]:2200", Target("fd00::7", None, 2200), "-p 2200 fd00::7", "fd00--7-2200"),
        ("ssh://first.last+x@a_b", Target("a_b", "first.last+x"), "first.last+x@a_b", "a_b"),
    ],
)
def test_a_url_names_a_machine(url: str, target: Target, shown: str, label: str) -> None:
    assert Target.parse(url) == target
    assert (target.shown, target.label) == (shown, label)


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch x",
        "ssh://-oProxyCommand=x",
        "ssh://-l@host",
        "ssh://-v",
        "ssh://h;id",
        "ssh://$(id)@h",
        "ssh://a`id`@h",
        "ssh://h%n",
        "ssh://h\nx",
        "ssh://a b@h",
        "ssh://me:word@h",
        "ssh://h/../etc",
        "ssh://h?x=1",
        "ssh://h:0x16",
        "ssh://h:99999",
        "ssh://",
        "ssh:host",
        "http://h",
        "ssh://[::1%25eth0]",
        "ssh://a@b@c",
    ],
)
def test_what_could_be_more_than_a_machine_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="the url") as told:
        Target.parse(url)
    assert "word" not in str(told.value).replace("password", "")


@given(st.text(max_size=40), st.text(max_size=20))
def test_nothing_that_a_shell_reads_gets_into_the_arguments(host: str, user: str) -> None:
    try:
        target = Target.parse(f"ssh://{user}@{host}")
    except ValueError:
        return
    for word in (target.host, target.user or ""):
        assert not word.startswith("-")
        assert not set(word) & set(" \t\r\n'\"`$;&|<>(){}*?!\\%~#=,/@[]")


def test_the_connection_never_asks_forwards_nothing_by_itself_and_ends_with_its_shell() -> None:
    words = Target("gpubox", "me", 2222).connect(CONTROL)
    assert words[0] == "ssh"
    options = [words[at + 1] for at, word in enumerate(words) if word == "-o"]
    for wanted in ("BatchMode=yes", "ControlMaster=yes", "ControlPersist=no", "ClearAllForwardings=yes"):
        assert wanted in options
    assert f"ControlPath={CONTROL}" in options
    own = ("StrictHostKeyChecking", "UserKnownHostsFile", "ProxyCommand", "IdentityFile")
    assert not any(option.startswith(own) for option in options)  # these are the user's
    assert words[-7:] == ["-l", "me", "-p", "2222", "--", "gpubox", "exec sh"]
    assert "-l" not in Target("gpubox").connect(CONTROL)


def test_what_goes_over_a_connection_makes_none_of_its_own() -> None:
    target = Target("gpubox", "me", 2222)
    forward = target.forward(CONTROL, "forward", 40001, "::1", 8000)
    for words in (target.session(CONTROL), forward):
        assert words[1:3] == ["-F", "/dev/null"]
        assert "ProxyCommand=false" in words
        assert words[words.index("-S") + 1] == str(CONTROL)
    assert forward[-5:] == ["forward", "-L", "127.0.0.1:40001:[::1]:8000", "--", "gpubox"]


def test_a_percent_sign_in_the_folder_is_no_token() -> None:
    assert "ControlPath=/tmp/100%%/c1" in Target("h").connect(Path("/tmp/100%/c1"))
