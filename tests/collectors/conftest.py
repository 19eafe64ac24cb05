"""Machines with GPUs, by stand-ins for the libraries that read them, and folders with an agent's logs."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.amd.standin import Standin, mi300x
from tests.collectors.agent_world import Reading
from tests.collectors.nvml_machine import Machine
from tests.nvml.standin import NoCompilerError, build, loaded


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """NVML's stand-in, compiled."""
    try:
        return build(tmp_path_factory.mktemp("nvml"))
    except NoCompilerError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def machine(built, tmp_path):
    """A machine with two H100s as NVML tells of it."""
    library = shutil.copy(built, tmp_path / built.name)
    machine = Machine(tmp_path / "machine.txt")
    machine.become("h100x2.txt")
    with loaded(Path(library), machine.path):
        yield machine
        machine.write("# whatever hangs may go on\n")


@pytest.fixture
def amdsmi(monkeypatch):
    """AMD's library on a machine with two MI300X."""
    made = Standin(mi300x(0), mi300x(1))
    monkeypatch.setitem(sys.modules, "amdsmi", made)
    return made


@pytest.fixture
def reading(tmp_path):
    """Claude Code's folder, nothing in it, and what reads it."""
    (tmp_path / "projects").mkdir()
    return Reading("claude-code", tmp_path / "projects")


@pytest.fixture
def log(reading):
    """Where the first session of that folder is written."""
    return reading.folder / "-repo" / "s1.jsonl"
