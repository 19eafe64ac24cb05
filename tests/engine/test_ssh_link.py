"""One connection, shells and forwards over it: over a stand-in for ssh that really leads on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infertop.engine import ssh_link, ssh_shell
from infertop.engine.collector import State, Unavailable
from infertop.engine.ssh_folder import make_folder, remove_folder
from infertop.engine.ssh_lines import LONGEST, FloodError, Lines
from infertop.engine.ssh_link import Link
from infertop.engine.ssh_target import Target
from tests.fake_ssh import FakeSsh


@pytest.fixture
async def link(ssh: FakeSsh) -> AsyncIterator[Link]:
    made = Link(Target("gpubox"))
    yield made
    await made.close()


@asynccontextmanager
async def answering(text: bytes) -> AsyncIterator[int]:
    """A server that says `text` to whoever connects."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def answering_above_silence(text: bytes) -> AsyncIterator[int]:
    """A server that says `text`, and nobody who listens two ports below it."""
    for _ in range(50):
        async with answering(text) as port:
            with socket.socket() as below:
                try:
                    below.bind(("127.0.0.1", port - 2))
                except OSError:
                    continue
                yield port
                return
    pytest.fail("no two ports are free")


async def said_by(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.read()
    finally:
        writer.close()


async def lost(link: Link, ssh: FakeSsh) -> None:
    """Break the connection, and wait until that is known."""
    (master,) = ssh.masters()
    os.kill(master, signal.SIGKILL)
    (ssh.folder / f"master-{master}").unlink()
    while link.up:  # noqa: ASYNC110 - what is waited for is the end of a process
        await asyncio.sleep(0.01)


async def test_a_shell_over_there_is_asked_again_and_again_and_greetings_are_no_answers(
    ssh: FakeSsh, link: Link
) -> None:
    ssh.greet("Welcome to gpubox!\nhave fun\n")
    ssh.put("whereami", "#!/bin/sh\necho there; echo trouble >&2")
    await link.open()
    assert await link.ask("whereami; x=1") == ["there"]
    assert await link.ask('echo "$x"; cat; printf "no end"') == ["1", "no end"]
    assert len(ssh.calls) == 1


async def test_its_control_socket_is_where_nobody_else_can_be_and_goes_with_it(ssh: FakeSsh, link: Link) -> None:
    await link.open()
    control = next(word for word in ssh.calls[0] if word.startswith("ControlPath=")).removeprefix("ControlPath=")
    folder = Path(control).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.parent == Path(os.environ["XDG_RUNTIME_DIR"])
    await link.close()
    assert not folder.exists()
    assert ssh.masters() == []
    assert not link.up


async def test_a_forwarded_port_leads_to_one_over_there_until_it_is_cancelled(link: Link) -> None:
    await link.open()
    async with answering(b"engine") as port:
        local = await link.forward("127.0.0.1", port)
        assert local != port
        assert await link.forward("127.0.0.1", port) == local
        assert await said_by(local) == b"engine"
        await link.cancel("127.0.0.1", port)
        with pytest.raises(ConnectionRefusedError):
            await said_by(local)


async def test_two_ports_that_belong_together_are_as_far_apart_here_as_there(link: Link) -> None:
    await link.open()
    async with answering_above_silence(b"metrics") as port:
        await link.forward("127.0.0.1", port)
        local = await link.forward_two("127.0.0.1", port, -2)
        assert await link.forward_two("127.0.0.1", port, -2) == local
        assert await said_by(local) == b"metrics"
        complaints = link.complaints
        assert await said_by(local - 2) == b""
        while link.complaints == complaints:  # noqa: ASYNC110 - it comes by another pipe
            await asyncio.sleep(0.01)
        assert any("Connection refused" in said for said in link.said_since(complaints))


async def test_a_lost_connection_is_made_again_with_the_same_ports(ssh: FakeSsh, link: Link) -> None:
    await link.open()
    async with answering(b"engine") as port:
        local = await link.forward("127.0.0.1", port)
        await lost(link, ssh)
        with pytest.raises(Unavailable) as told:
            await link.forward("127.0.0.1", port)
        assert told.value.state is State.STALE
        await link.open()
        assert link.generation == 2
        assert await link.forward("127.0.0.1", port) == local
        assert await said_by(local) == b"engine"


async def test_a_port_that_was_taken_meanwhile_is_not_insisted_on(ssh: FakeSsh, link: Link) -> None:
    await link.open()
    async with answering(b"engine") as port:
        local = await link.forward("127.0.0.1", port)
        await lost(link, ssh)
        other = await asyncio.start_server(lambda *_: None, "127.0.0.1", local)
        async with other:
            await link.open()
            assert await link.forward("127.0.0.1", port) != local


async def test_a_login_that_is_refused_says_so_and_is_tried_again_when_asked(ssh: FakeSsh, link: Link) -> None:
    ssh.refuse("me@gpubox: Permission denied (publickey).")
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"gpubox refuses your key \(publickey\)") as told:
            await link.open()
        assert told.value.state is State.AUTH
    ssh.refuse("")
    await link.open()
    assert link.up


async def test_without_ssh_that_is_what_is_said(link: Link, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="ssh is not installed here") as told:
        await link.open()
    assert told.value.state is State.ABSENT


async def test_a_slow_login_is_waited_for_by_the_next_poll(
    ssh: FakeSsh, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_link, "_PATIENCE_SECONDS", 0.01)
    with pytest.raises(Unavailable, match="still waiting") as told:
        await link.open()
    assert told.value.state is State.STARTING
    monkeypatch.setattr(ssh_link, "_PATIENCE_SECONDS", 20.0)
    await link.open()
    assert len(ssh.calls) == 1


async def test_what_is_no_shell_is_given_up(ssh: FakeSsh, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_link, "_LOGIN_SECONDS", 1.0)
    ssh.put("sh", "#!/bin/sh\nexec sleep 60")
    ssh.greet("SWITCH> \n")
    with pytest.raises(Unavailable, match=r"gpubox gives ssh no shell within 1 s, but says: SWITCH>"):
        await link.open()
    assert ssh.masters() == []


async def test_a_shell_that_hangs_is_told_of_and_its_late_answer_is_nobody_elses(
    link: Link, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await link.open()
    monkeypatch.setattr(ssh_link, "_ASK_SECONDS", 0.2)
    (gate := tmp_path / "gate").touch()
    with pytest.raises(Unavailable, match="has not answered"):
        await link.ask(f"while [ -e {gate} ]; do sleep 0.01; done; echo late")
    gate.unlink()
    monkeypatch.setattr(ssh_link, "_ASK_SECONDS", 20.0)
    assert await link.ask("echo next") == ["next"]


async def test_an_answer_without_end_ends_the_connection(link: Link) -> None:
    await link.open()
    with pytest.raises(Unavailable):
        await link.ask("while :; do echo y; done")
    await link.open()
    assert await link.ask("echo again") == ["again"]


async def test_a_session_ends_with_its_connection_and_needs_one(ssh: FakeSsh, link: Link) -> None:
    await link.open()
    shell = await link.session()
    assert await shell.ask("echo one more", 20) == ["one more"]
    await lost(link, ssh)
    with pytest.raises(ssh_shell.EndedError):
        await shell.next()
    await shell.close()
    with pytest.raises(Unavailable):
        await link.session()


async def test_more_forwards_than_are_sensible_are_not_made(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_link, "MOST_FORWARDS", 1)
    await link.open()
    await link.forward("127.0.0.1", 1)
    with pytest.raises(Unavailable, match="more than 1 ports"):
        await link.forward("127.0.0.1", 2)


def test_folders_of_those_that_were_killed_are_cleared_away_and_no_others(
    ssh: FakeSsh,
) -> None:
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    dead, alive, strange = (runtime / f"infertop-ssh-{name}-x" for name in (2**22 + 1, os.getpid(), "me"))
    for each in (dead, alive, strange):
        each.mkdir()
        (each / "c1").touch()
    folder = make_folder()
    assert folder.parent == runtime
    assert (dead.exists(), alive.exists(), strange.exists()) == (False, True, True)
    remove_folder(folder)
    assert not folder.exists()


def test_a_folder_whose_name_is_too_long_for_a_socket_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 90)
    deep.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    folder = make_folder()
    assert len(str(folder)) < 90
    assert list(deep.iterdir()) == []
    remove_folder(folder)


def lines(*chunks: bytes) -> Lines:
    reader = asyncio.StreamReader()
    for chunk in chunks:
        reader.feed_data(chunk)
    reader.feed_eof()
    return Lines(reader)


async def test_lines_come_whole_and_one_that_is_too_long_is_left_out() -> None:
    read = lines(b"a", b"b\r\n\xffc\n" + b"x" * LONGEST + b"y\n", b"z" * (3 * LONGEST), b"\nlast\nno end")
    assert [await read.next() for _ in range(4)] == ["ab", "\ufffdc", "last", None]
    assert read.ended


async def test_more_than_anybody_could_mean_is_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infertop.engine.ssh_lines.MOST_BYTES_A_SECOND", 1000)
    read = lines(b"x" * 2000)
    with pytest.raises(FloodError):
        await read.next()
