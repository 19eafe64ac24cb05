"""Property tests: the same examples at every run of CI, so that it says something about the change; others on request.

HYPOTHESIS_PROFILE=explore pytest    # new examples each time; what it finds becomes a test of its own
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def _no_logs_of_whoever_runs_the_tests() -> Iterator[None]:
    """Let infertop find no agent's logs but those that a test makes."""
    nowhere = dict.fromkeys(("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_DATA_DIR", "OPENCODE_DATA_DIR"), os.devnull)
    with mock.patch.dict(os.environ, nowhere):
        yield
