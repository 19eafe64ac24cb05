"""Tests against real servers run in CI, or where INFERTOP_REAL=1 asks for them; elsewhere they skip."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="installs and starts a real server; set INFERTOP_REAL=1 to run")
    asked = os.environ.get("INFERTOP_REAL", os.environ.get("CI", "")) in {"1", "true"}
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real)
            item.add_marker(pytest.mark.timeout(900))
            if not asked:
                item.add_marker(skip)
