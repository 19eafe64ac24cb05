"""What runs on a machine that the stand-in for ssh leads to: a server on a port, and a vLLM with a worker on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import fake_smi
from tests.engine.trees import Tree, running, vllm_command
from tests.fake_ssh import FakeSsh

PAGE = (Path(__file__).parents[1] / "payloads/vllm/0.33.0.txt").read_text()


def listens(ssh: FakeSsh, program: str, tree: Tree) -> None:
    """Let that machine say that this program listens there, and nothing else."""
    owner = f'users:(("{program}",pid={tree.pid},fd=3))'
    ssh.put("ss", f"#!/bin/sh\necho 'LISTEN 0 5 127.0.0.1:{tree.port} 0.0.0.0:* {owner}'")


@contextmanager
def vllm_there(ssh: FakeSsh, folder: Path) -> Iterator[Tree]:
    """A vLLM whose worker is on a GPU, and nothing else that listens."""
    with running(vllm_command(folder), PAGE, title="VLLM::EngineCore") as tree:
        listens(ssh, "vllm", tree)
        ssh.put("nvidia-smi", fake_smi.script(ssh.there, apps=(f"GPU-0a, {tree.worker}, 71000",)))
        yield tree
