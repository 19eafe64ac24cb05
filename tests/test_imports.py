"""What is loaded when: the screen is painted before anything heavy, and the other commands load no screen at all."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"httpx", "httpcore", "sqlite_utils", "pynvml", "psutil", "tiktoken"}
SCREEN = {"textual", "rich", "tui"}

# Runs what a person would run, and tells afterwards which of some modules were loaded.
RUN = """
import json, sys
from infertop.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as left:
    status = left.code
print(json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""
PAINT = """
import json, sys
import infertop.commands.screen
from infertop.cli import _parser
infertop.commands.screen.setup(_parser().parse_args(sys.argv[1:]))
import tui.app
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def run(code: str, *words: str, home: Path):
    """Run `code` in a process with a home of its own; return what it told at the end."""
    places = {f"XDG_{each}_HOME": str(home / each) for each in ("CONFIG", "DATA", "STATE", "CACHE")}
    environ = {**os.environ, **places, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=home,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(ran.stderr.splitlines()[-1])


def loaded(*words: str, home: Path, of: Iterable[str]) -> set[str]:
    """Run a command that ends well, and return which of some modules it loaded."""
    status, modules = run(RUN, *words, home=home)
    assert not status
    return set(modules) & set(of)


@pytest.mark.parametrize("words", [("--no-discovery", "--interval", "0.2"), ("--json", "--demo")])
def test_one_reading_never_loads_the_screen(words, tmp_path):
    assert not loaded("--once", *words, home=tmp_path, of=SCREEN)


@pytest.mark.parametrize("words", [("--version",), ("schema",), ("report",), ("check", "--kinds")])
def test_what_reads_no_meter_loads_neither_http_nor_the_screen(words, tmp_path):
    loaded("--once", "--no-discovery", "--interval", "0.2", home=tmp_path, of=())  # there is a history to report on
    assert not loaded(*words, home=tmp_path, of={*SCREEN, "httpx", "httpcore", "pynvml", "psutil"})


@pytest.mark.parametrize(
    "words",
    [
        ("cost", "/dev/null"),
        ("prices",),
        ("prices", "gpt-4o"),
        ("prices", "H100"),
        ("estimate", "/dev/null", "--model", "gpt-4o", "--output-tokens", "1"),
    ],
)
def test_what_asks_for_prices_alone_loads_nothing_heavy(words, tmp_path):
    assert not loaded(*words, home=tmp_path, of={*SCREEN, *HEAVY, "asyncio"})


@pytest.mark.parametrize("words", [(), ("--demo",), ("--source", "vllm=http://127.0.0.1:8000")])
def test_nothing_heavy_is_loaded_before_the_first_paint(words, tmp_path):
    modules = set(run(PAINT, *words, home=tmp_path))
    assert "textual" in modules
    assert not modules & HEAVY


SECTIONS = """
import json, sys
from infertop.money.load import parse
parse(sys.argv[1].encode())
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("# nothing is set", set()),
        ("[gpu.H100]\nusd_per_hour = 3", {"rate_section"}),
        ("[alert]\nsigma = 3", {"alert_section"}),
        ("[provider.openai]\nfactor = 0.9", {"provider_section"}),
    ],
)
def test_a_section_of_pricing_toml_costs_time_only_where_it_is_written(written, read, tmp_path):
    mine = {name.removeprefix("infertop.money.") for name in run(SECTIONS, written, home=tmp_path)}
    assert {name for name in mine if name.endswith("_section")} == {"source_section", *read}
    assert not any(name.startswith("deployment") for name in mine)


@pytest.mark.parametrize("words", [(), ("--demo",)])
def test_collectors_are_loaded_before_the_first_paint_only_where_one_is_named(words, tmp_path):
    assert "collectors" not in run(PAINT, *words, home=tmp_path)
