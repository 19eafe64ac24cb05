"""Property tests: the same examples at every run of CI, so that it says something about the change; others on request.

HYPOTHESIS_PROFILE=explore pytest    # new examples each time; what it finds becomes a test of its own
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings

from collectors import KINDS
from tests.fake_ssh import FakeSsh

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_whoever_runs_the_tests() -> Iterator[None]:
    """Let infertop find no agent's logs, no accounts, no prices and no containers but those that a test makes."""
    nowhere = dict.fromkeys(("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_DATA_DIR", "OPENCODE_DATA_DIR"), os.devnull)
    keys = {name for kind in KINDS.values() if kind.api for name in kind.api.key_env}
    with mock.patch.dict(os.environ, {**nowhere, "DOCKER_HOST": "tcp://no.machine"}):
        for name in {*keys, "INFERTOP_PRICING", "NO_COLOR"} & os.environ.keys():
            del os.environ[name]
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the programs that tests start find infertop compiled, also where nothing may be left beside it."""
    with mock.patch.dict(os.environ):
        if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
            os.environ["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))
        yield


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSsh]:
    """Put a stand-in for ssh before the real one."""
    fake = FakeSsh(tmp_path)
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:  # short enough for a socket
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        yield fake
