"""`infertop prices` at noon."""

from __future__ import annotations

from pathlib import Path

import pytest

from infertop import cli
from infertop.commands import setup
from tests.commands.prices.asking import NOON, Run
from tests.fakes import FakeClock


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `infertop prices WORDS` at noon over pricing.toml in `tmp_path`."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("INFERTOP_PRICING", raising=False)
    monkeypatch.setattr(setup, "SystemClock", lambda: FakeClock(NOON))
    file = tmp_path / "pricing.toml"
    file.write_text("")

    def run(*words: str, own: str = "") -> tuple[int, str, str]:
        file.write_text(own)
        status = cli.main(["prices", *words, "--pricing", str(file), "--db", str(tmp_path / "x.db")])
        out, said = capsys.readouterr()
        long = [
            line for line in out.splitlines() if len(line) > 80 and str(tmp_path) not in line and "[model" not in line
        ]
        assert "--json" in words or not long
        return status, out, said

    return run
