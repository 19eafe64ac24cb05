"""What OpenSSH 9.2 wrote when it failed, and what the person at the screen is told."""

from __future__ import annotations

import pytest

from infertop.engine.collector import State
from infertop.engine.ssh_fault import forwards_refused, from_ssh, port_refused
from infertop.engine.ssh_target import Target

GPUBOX = Target("gpubox", "me", 2222)
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Offending ED25519 key in /home/me/.ssh/known_hosts:1
  remove with:
  ssh-keygen -f "/home/me/.ssh/known_hosts" -R "[10.0.0.5]:2222"
Host key for [10.0.0.5]:2222 has changed and you have requested strict checking.
Host key verification failed."""


@pytest.mark.parametrize(
    ("said", "state", "told"),
    [
        (
            CHANGED,
            State.AUTH,
            "is not the one that you accepted before: if the machine was made anew, `ssh-keygen -R '[10",
        ),
        (
            "No ED25519 host key is known for [10.0.0.5]:2222 and you have requested strict checking.\n"
            "Host key verification failed.",
            State.AUTH,
            "is not known here yet: log in once with `ssh -p 2222 me@gpubox`",
        ),
        ("Host key verification failed.", State.AUTH, "the host key of gpubox is not known here yet"),
        (
            "me@gpubox: Permission denied (publickey,password).",
            State.AUTH,
            "gpubox refuses your key (publickey,password): `ssh -p 2222 me@gpubox` must log in without asking",
        ),
        (
            "Received disconnect from 10.0.0.5 port 22:2: Too many authentication failures",
            State.AUTH,
            "refuses your key:",
        ),
        ("ssh: Could not resolve hostname gpubox: Name or service not known", State.DOWN, "there is no host gpubox"),
        ("ssh: connect to host gpubox port 2222: Connection refused", State.DOWN, "gpubox refuses ssh on port 2222"),
        (
            "ssh: connect to host gpubox port 2222: Connection timed out",
            State.DOWN,
            "gpubox does not answer ssh on port 2222",
        ),
        (
            "Connection timed out during banner exchange\nConnection to 10.0.0.5 port 2222 timed out",
            State.DOWN,
            "gpubox does not answer ssh on port 2222",
        ),
        ("ssh: connect to host gpubox port 2222: No route to host", State.DOWN, "no way to gpubox: is the host up?"),
        (
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.5 port 2222",
            State.DOWN,
            "gpubox closed the connection on port 2222 before the login",
        ),
        (
            "Unable to negotiate with 10.0.0.5 port 22: no matching host key type found. Their offer: ssh-rsa",
            State.DOWN,
            "ssh and gpubox have no algorithm in common",
        ),
        ("Timeout, server gpubox not responding.", State.STALE, "the ssh connection to gpubox was lost"),
        ("Connection to gpubox closed by remote host.", State.STALE, "the ssh connection to gpubox was lost"),
        ("client_loop: send disconnect: Broken pipe", State.STALE, "the ssh connection to gpubox was lost"),
        (
            "This account is currently not available.",
            State.DOWN,
            "ssh to gpubox ended with status 1: This account is currently not available.",
        ),
        ("", State.DOWN, "ssh to gpubox ended with status 1"),
    ],
)
def test_what_ssh_says_becomes_a_sentence_with_what_to_do(said: str, state: State, told: str) -> None:
    failure = from_ssh(GPUBOX, said.splitlines(), 1)
    assert told in failure.sentence
    assert failure.state is state


def test_what_comes_from_the_other_side_cannot_write_on_the_screen() -> None:
    failure = from_ssh(GPUBOX, ["\x1b]0;owned\x07\x1b[2J" + "x" * 5000], 255)
    assert failure.sentence.isprintable()
    assert len(failure.sentence) < 400


def test_refusals_of_forwards_and_of_ports_are_told_apart() -> None:
    prohibited = ["channel 3: open failed: administratively prohibited: open failed"]
    refused = ["channel 2: open failed: connect failed: Connection refused"]
    assert (forwards_refused(prohibited), port_refused(prohibited)) == (True, False)
    assert (forwards_refused(refused), port_refused(refused)) == (False, True)
