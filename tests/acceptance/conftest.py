"""The real program against recorded, real and hostile servers. Every test runs it in processes of its own."""

import pytest

from tests.acceptance.program import Program, end_all


@pytest.fixture(autouse=True)
def _nothing_left_running():
    yield
    end_all()


@pytest.fixture
def infertop(tmp_path):
    return Program(tmp_path)
