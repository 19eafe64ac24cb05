"""What a look says it has looked for, and looks at real processes."""

import sys

from infertop.engine.discovery import Discovery, Found, Searched
from infertop.engine.searched import searched_gpus
from infertop.readings.model import Batch, Series
from tests.engine.discovery.answers import LLAMACPP, OTHER, PATTERNS, VLLM
from tests.engine.trees import SERVER, running, vllm_command
from tests.engine.worlds import Stuck


async def test_the_report_says_what_was_looked_for_and_what_to_do(discovery, world, network):
    world.start(10, "python app.py", port=5000)
    network.answers["127.0.0.1:5000"] = OTHER
    nothing = (await discovery.look({})).searched
    assert nothing == (
        Searched("engines", "listening ports: 1, processes: 2", False, "start one, or name it: --source KIND=URL"),
        Searched(
            "port",
            "127.0.0.1:5000",
            False,
            "process 10 (python) answers HTTP 404, and like no engine: if it is an engine, name it: --source KIND=URL",
        ),
    )
    world.start(20, "vllm serve acme/tiny --port 8000")
    waiting = (await discovery.look({20: ("GPU-a",)})).searched[1]
    assert (waiting.what, waiting.found) == ("vllm", False)
    assert "process 20 runs, and this address does not answer yet" in waiting.detail
    world.listen(8000, 20)
    network.answers["127.0.0.1:8000"] = VLLM
    assert (await discovery.look({})).searched[1] == Searched("vllm", "http://127.0.0.1:8000", True, "acme/tiny")


async def test_a_process_list_that_hangs_leaves_what_was_found(world, network, monkeypatch):
    look = Stuck(world)
    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=look)
    world.start(10, "vllm serve acme/tiny", port=8000)
    network.answers["127.0.0.1:8000"] = VLLM
    before = (await discovery.look({})).found
    look.hangs = True
    monkeypatch.setattr("infertop.engine.discovery._SCAN_SECONDS", 0.05)
    seen = await discovery.look({})
    look.released.set()
    assert seen.found == before
    assert "could not be listed" in seen.searched[0].detail
    discovery.close()


async def test_a_real_server_is_found_over_http_with_its_renamed_worker(tmp_path):
    discovery = Discovery(PATTERNS)
    with running(vllm_command(tmp_path), page=VLLM[2].decode(), title="VLLM::EngineCore") as tree:
        mine, looks = [], 0
        while not mine:  # on a busy machine a look may end before its answer
            seen, looks = await discovery.look({tree.worker: ("GPU-a",)}), looks + 1
            mine = [each for each in seen.found if each.url.endswith(f":{tree.port}")]
        await discovery.look({tree.worker: ("GPU-a",)})
        asked = tree.asked()
    assert mine == [
        Found(f"vllm@127.0.0.1:{tree.port}", "vllm", f"http://127.0.0.1:{tree.port}", tree.pid, "acme/tiny", ("GPU-a",))
    ]
    assert set(asked) == {"/metrics"}
    assert len(asked) <= looks
    discovery.close()


async def test_a_real_server_started_from_a_shell_and_without_a_telling_command_is_found():
    discovery = Discovery(PATTERNS)
    with running([sys.executable, "-c", SERVER, "--port", "{port}"], page=LLAMACPP[2].decode()) as tree:
        mine = []
        while not mine:  # where much else listens, a look does not come to every port
            mine = [each.kind for each in (await discovery.look({})).found if each.pid == tree.pid]
    assert mine == ["llamacpp"]
    discovery.close()


def test_gpus_are_reported_with_the_reason_where_there_are_none():
    series = (Series.of("gpu_info", gpu="GPU-a"), Series.of("gpu_info", gpu="MIG-b", parent="GPU-a"))
    assert searched_gpus(Batch("nvml", 0.0, series, (1.0, 1.0))) == Searched(
        "GPUs", "NVML", True, "1 GPU, 1 MIG instance"
    )
    assert searched_gpus(None, "no driver") == Searched("GPUs", "NVML", False, "no driver")
