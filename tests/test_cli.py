"""The command line where its output has nowhere to go."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [
    ["schema"],
    ["check", "--kinds"],
    ["prices", "gpt-4o"],
    ["--once", "--no-discovery"],
    ["--once", "--json", "--no-discovery"],
]
FULL = Path("/dev/full")


def run(arguments, folder, redirection):
    program = [sys.executable, "-m", "infertop.cli", *arguments, "--db", str(folder / "x.db")]
    shell = ["sh", "-c", f'exec "$@" {redirection}', "sh", *program]
    return subprocess.run(shell, stderr=subprocess.PIPE, text=True, timeout=60)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", COMMANDS)
def test_output_that_cannot_be_written_is_told_in_a_sentence(arguments, tmp_path):
    done = run(arguments, tmp_path, f">{FULL}")
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last) == (1, "infertop: the output could not be written: no space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_closed_output_is_no_failure(arguments, tmp_path):
    done = run(arguments, tmp_path, ">&-")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


BROKEN = """
import sys
from infertop import cli
from infertop.commands import schema
from infertop.engine.secrets import Secret

def fail(options):
    raise RuntimeError(f"asked with {Secret('told-canary-0123456789').reveal()} and sk-admin-another-canary")

schema.run = fail
sys.exit(cli.main(["schema"]))
"""


def test_a_bug_is_told_without_the_keys_in_it():
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "RuntimeError: asked with *** and ***"
    assert "another-canary" not in done.stderr
