"""A recorded engine on a made-up GPU: what its tokens would cost elsewhere, beside the recorder and after it."""

import json
import math
import shutil
import signal

import pytest

from tests.acceptance.program import Program, stop
from tests.acceptance.replayed import recording, replaying
from tests.nvml.standin import MACHINES, NoCompilerError, build

PAGES = recording("vllm/0.32.0.jsonl.gz", stride=20)
GPU = "GPU-11111111-2222-3333-4444-555555555555"
PRICING = """\
[gpu."NVIDIA H100 80GB HBM3"]
usd_per_hour = 2.49
[model."gpt-4o"]
provider = "openai"
input = 2.50
cache_read = 1.25
output = 10.00
[[source]]
kind = "vllm"
url = "{}"
gpus = ["{}"]
"""


@pytest.fixture
def infertop(tmp_path):
    """infertop on a machine with two GPUs."""
    try:
        library = build(tmp_path / "nvml")
    except NoCompilerError as error:
        pytest.skip(str(error))
    machine = shutil.copy(MACHINES / "h100x2.txt", tmp_path / "machine.txt")
    return Program(tmp_path, {"LD_LIBRARY_PATH": str(library.parent), "FAKE_NVML": str(machine)})


def asked(infertop, *words):
    done = infertop.run("whatif", "--json", "--pricing", "prices.toml", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_counted_tokens_times_list_prices_beside_the_recorder_and_after_it(infertop):
    with replaying(PAGES) as server:
        (infertop.folder / "prices.toml").write_text(PRICING.format(server.url, GPU))
        process = infertop.record("--pricing", "prices.toml")
        server.wait_until_ended(process)
        beside = asked(infertop, "--to", "openai/gpt-4o")
        assert beside["subjects"]
        assert stop(process, signal.SIGTERM)[0] == 0
    found = asked(infertop, "--to", "openai/gpt-4o", "--tokens-per-second", "100000", "--scale", "1,1000")
    (engine,) = found["subjects"]
    same = ("--since", found["since"], "--until", found["until"])
    (row,) = [each for each in infertop.report("--by", "model", *same) if each["model"]]
    tokens, requests = row["tokens"], row["requests"]
    assert (engine["model"], engine["provider"], engine["requests"]) == ("tiny-llama", "local", requests)
    assert engine["tokens"] == tokens
    (there,) = [row for row in engine["alternatives"] if row["provider"] == "openai"]
    usd = (tokens["input"] * 2.50 + tokens["cache_read"] * 1.25 + tokens["output"] * 10.00) / 1e6
    assert there["usd_per_request"] == pytest.approx(usd / requests)
    assert there["usd_per_hour"] == pytest.approx(usd / engine["seconds"] * 3600)
    assert there["price_source"] == "prices.toml:5"
    # One of the two GPUs is the engine's, the other nobody's.
    assert engine["gpu_name"] == "NVIDIA H100 80GB HBM3"
    assert engine["gpu_usd_per_hour"] == pytest.approx(2.49)
    assert 0 < engine["gpus"] <= 1
    assert any("GPUs that no model holds cost" in each for each in found["notices"])
    (point,) = engine["break_even"]
    blended = usd / sum(tokens.values()) * 1e6
    assert point["tokens_per_day"] == pytest.approx(24 * 2.49 * engine["gpus"] / blended * 1e6)
    assert point["utilization"] == pytest.approx(2.49 * 1e6 / (3600 * 100_000 * blended))
    once, often = engine["scale"]
    assert often["api_usd_per_hour"] == pytest.approx(once["api_usd_per_hour"] * 1000)
    load = sum(tokens.values()) / engine["seconds"]
    for row, times in ((once, 1), (often, 1000)):
        assert row["own_gpus"] == math.ceil(load * times / 100_000)
        assert row["own_usd_per_hour"] == pytest.approx(2.49 * row["own_gpus"])
