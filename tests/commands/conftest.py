"""What tests of commands begin with."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def pricing(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file with the PRICING of the test's module."""
    path = tmp_path / "pricing.toml"
    path.write_text(request.module.PRICING)
    return path
