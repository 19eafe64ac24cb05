"""The whole program over a stand-in for ssh: what is found on another machine, and what is left when it ends."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.replayed import wait_for
from tests.engine.afar import vllm_there
from tests.engine.trees import Tree
from tests.fake_ssh import FakeSsh

RATE = '[gpu."NVIDIA H100 80GB HBM3"]\nusd_per_hour = 2.49\n'
READ = ("--no-discovery", "--interval", "0.2", "--source", "ssh=ssh://me@gpubox", "--pricing", "prices.toml")


@pytest.fixture
def ssh(tmp_path: Path) -> FakeSsh:
    return FakeSsh(tmp_path)


@pytest.fixture
def infertop(ssh: FakeSsh, tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "prices.toml").write_text(RATE)
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:  # short enough for a socket
        yield Program(tmp_path, more={**ssh.environment, "XDG_RUNTIME_DIR": runtime}, read=READ)


@pytest.fixture
def engine(ssh: FakeSsh, tmp_path: Path) -> Iterator[Tree]:
    with vllm_there(ssh, tmp_path) as tree:
        yield tree


def test_gpus_and_engines_over_there_are_rows_with_its_name_and_a_price(
    infertop: Program, ssh: FakeSsh, engine: Tree
) -> None:
    reading = json.loads(infertop.run("--once", "--json", *READ).stdout)
    first, second = reading["gpus"]
    assert (first["index"], first["uuid"], first["price_source"]) == ("gpubox:0", "GPU-0a", "prices.toml:2")
    assert (first["utilization"], first["power_watts"], first["usd_per_hour"]) == (0.83, 512.31, 2.49)
    assert (second["utilization"], second["power_watts"]) == (0, None)
    assert reading["usd_per_hour"]["gpu"] == 4.98
    sources = {row["name"]: row["state"] for row in reading["sources"] if row["kind"] in ("ssh", "vllm")}
    assert sources == {"ssh@gpubox:22": "up", f"vllm@gpubox:{engine.port}": "up"}
    (row,) = reading["models"]
    assert row["source"] == f"vllm@gpubox:{engine.port}"
    assert row["usd_per_hour"] == 2.49
    assert first["models"] == [row["model"]]
    assert ssh.running() == []


def test_a_check_says_what_was_found_there(infertop: Program, engine: Tree) -> None:
    check = infertop.run("check", *READ)
    assert "source         ssh@gpubox:22  up" in check.stdout
    assert f"looked for     vllm on gpubox: http://gpubox:{engine.port}: acme/tiny" in check.stdout
    assert "gpu gpubox:0" in check.stdout
    assert check.returncode == 0


def test_a_refused_key_is_a_sentence_and_a_status(infertop: Program, ssh: FakeSsh) -> None:
    ssh.refuse("me@gpubox: Permission denied (publickey).")
    check = infertop.run("check", *READ)
    assert "ssh@gpubox:22  auth  gpubox refuses your key (publickey): `ssh me@gpubox` must log in" in check.stdout
    assert check.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_no_ssh_and_nothing_over_there_outlives_the_program(
    infertop: Program, ssh: FakeSsh, engine: Tree, number: signal.Signals
) -> None:
    process = infertop.start("record", *READ, start_new_session=True)
    # A connection, sessions for the GPUs and their processes, a forwarded port: all of it stands.
    wait_for(lambda: len(ssh.running()) >= 6 and any("forward" in call for call in ssh.calls))
    process.send_signal(number)
    process.wait(30)
    wait_for(lambda: ssh.running() == [])


def test_a_folders_file_starts_no_ssh(infertop: Program, ssh: FakeSsh, tmp_path: Path) -> None:
    (tmp_path / "pricing.toml").write_text('[[source]]\nkind = "ssh"\nurl = "ssh://127.0.0.1"\n')
    once = infertop.run("--once", "--no-discovery", "--interval", "0.2")
    assert "is ignored, because it starts ssh and this folder's file may not be yours" in once.stderr
    assert ssh.calls == []
