"""The wheel: what is in it, and that it starts without the checkout."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = {
    "tui/infertop.tcss",
    "collectors/demo/LICENCES.md",
    "collectors/demo/clients.csv",
    "collectors/demo/engine.jsonl.gz",
    "collectors/demo/pricing.toml",
    "collectors/demo/traffic.csv",
    "infertop/money/data/LICENCES.md",
    "infertop/money/data/gpu_rates.csv",
    "infertop/money/data/price_corrections.toml",
    "infertop/money/data/prices.json",
    "infertop/pricing.toml",
}
OFFLINE = re.compile(r"Could not find a version|No matching distribution|Failed to establish a new connection", re.I)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout, built by what is at hand."""
    folder = tmp_path_factory.mktemp("wheel")
    if find_spec("hatchling") and find_spec("build"):
        command = ["build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    else:
        command = ["pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    ran = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=110)
    if ran.returncode and OFFLINE.search(ran.stdout + ran.stderr):
        pytest.skip("hatchling is not installed and cannot be had: no way to the package index")
    assert ran.returncode == 0, ran.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the wheel's files, as an installation has them."""
    folder = tmp_path_factory.mktemp("installed")
    command = ["pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(folder), str(wheel)]
    subprocess.run([sys.executable, "-m", *command], check=True, timeout=110)
    return folder


def names(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}


def test_the_wheel_has_the_three_packages_and_nothing_beside_them(wheel):
    tops = {name.partition("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"infertop", "collectors", "tui"}


def test_the_wheel_has_every_file_that_is_read_at_run_time_and_no_other_but_code(wheel):
    inside = {name for name in names(wheel) if ".dist-info/" not in name}
    assert {name for name in inside if not name.endswith(".py")} == DATA


def test_the_wheel_carries_the_licence(wheel):
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names(wheel))


def test_every_module_of_the_checkout_is_in_the_wheel(wheel):
    modules = {
        str(path.relative_to(ROOT)) for top in ("infertop", "collectors", "tui") for path in (ROOT / top).rglob("*.py")
    }
    assert modules == {name for name in names(wheel) if name.endswith(".py")}


def infertop(installed: Path, home: Path, *words: str) -> str:
    """Run the installed script, without the checkout in reach, and return what it printed."""
    environ = {**os.environ, "PYTHONPATH": str(installed), "HOME": str(home), "XDG_DATA_HOME": str(home)}
    command = [sys.executable, str(installed / "bin" / "infertop"), *words]
    return subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout


def test_what_was_installed_tells_its_version(installed, tmp_path):
    from infertop import __version__

    assert infertop(installed, tmp_path, "--version") == f"infertop {__version__}\n"


def test_what_was_installed_plays_the_demo_with_the_data_that_came_with_it(installed, tmp_path):
    reading = json.loads(infertop(installed, tmp_path, "--once", "--json", "--demo"))
    assert reading["demo"] is True
    assert reading["models"]
    assert {gpu["usd_per_hour"] is not None for gpu in reading["gpus"]} == {True}


def test_the_source_distribution_has_the_alerting_rules_and_the_dashboard():
    include = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert "/contrib" in include["include"]
    assert {path.name for path in (ROOT / "contrib").iterdir()} == {"grafana-dashboard.json", "prometheus-alerts.yml"}
