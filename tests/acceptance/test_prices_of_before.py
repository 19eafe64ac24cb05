"""Prices that are edited while nothing runs: what earlier recordings measured is priced again by the next one."""

import json
import shutil
import sqlite3

import pytest

from tests.acceptance.program import Program
from tests.nvml.standin import MACHINES, NoCompilerError, build


@pytest.fixture
def infertop(tmp_path):
    """infertop on a machine with two H100."""
    try:
        library = build(tmp_path / "driver")
    except NoCompilerError as error:
        pytest.skip(str(error))
    shutil.copy(MACHINES / "h100x2.txt", tmp_path / "machine.txt")
    return Program(tmp_path, {"LD_LIBRARY_PATH": str(library.parent), "FAKE_NVML": str(tmp_path / "machine.txt")})


def recorded(infertop, pricing):
    """Record for a moment under these prices; return milliseconds and nano-USD of all GPU time by its price."""
    (infertop.folder / "prices.toml").write_text(pricing)
    done = infertop.run("record", *infertop.read, "--pricing", "prices.toml", "--for", "1")
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(infertop.database) as opened:
        rows = opened.execute(
            """SELECT prices.content, sum(quantity), sum(usd_nano) FROM lines JOIN accounts ON accounts.id = account
            JOIN prices ON prices.id = price WHERE unit = 'ms' GROUP BY 1"""
        ).fetchall()
    opened.close()
    return {json.loads(price)["usd"]: (ms, nano) for price, ms, nano in rows}


def rented(usd, since=""):
    return f'[gpu."H100"]\nusd_per_hour = {usd}\n{since}\n'


def test_gpus_that_are_not_news_or_are_gone_are_priced_again(infertop):
    (first,) = recorded(infertop, rented("3.6")).items()
    assert first[0] == "3.6"
    recorded(infertop, rented("3.6"))
    # Nothing was new in the second run, and in the third the machine has no GPU any more.
    (infertop.folder / "machine.txt").write_text("driver=570.133.20\ncount=0\n")
    before = recorded(infertop, rented("3.6"))["3.6"][0]
    assert before > first[1][0]
    assert recorded(infertop, rented("7.2", "from = 2020-01-01")) == {"7.2": (before, before * 2000)}
    assert recorded(infertop, rented("1.8")) == {"3.6": (before, before * 1000)}
