"""How the servers are recognised whose engines run behind other names, and where their pages are looked for."""

import pytest

from collectors import KINDS

SERVERS = {name: kind.server for name, kind in KINDS.items() if kind.server}
RAYLET = "/venv/lib/python3.12/site-packages/ray/core/src/ray/raylet/raylet"
AGENT = ["python", "-u", "/venv/ray/dashboard/agent.py", "--raylet-name=/tmp/ray/session_1/sockets/raylet", "--minimal"]


@pytest.mark.parametrize(
    ("kind", "argv", "port", "model"),
    [
        ("trtllm", ["python3", "/usr/local/bin/trtllm-serve", "serve", "org/m", "--port", "8010"], 8010, "org/m"),
        ("trtllm", ["trtllm-serve", "/engines/m", "--served_model_name", "m"], None, "m"),
        ("nim", ["/opt/nim/llm/.venv/bin/python3", "-m", "nim_llm_sdk.entrypoints.launch"], None, None),
        ("nim", ["python3", "-m", "vllm_nvext.entrypoints.openai.api_server", "--port=81"], 81, None),
        ("dynamo", ["python", "-m", "dynamo.vllm", "--model", "org/m", "--port", "5000"], None, "org/m"),
        ("dynamo", ["python3", "-m", "dynamo.trtllm", "--model-path", "org/m"], None, "org/m"),
        ("dynamo-frontend", ["python", "-m", "dynamo.frontend", "--http-port", "8010"], 8010, None),
        (
            "ray",
            [RAYLET, "--raylet_socket_name=/tmp/ray/session_1/sockets/raylet", "--metrics_export_port=57"],
            57,
            None,
        ),
        ("kserve", ["python3", "-u", "-m", "huggingfaceserver", "--model_name=m", "--http_port=81"], 81, "m"),
        ("kserve", ["python", "-m", "sklearnserver", "--model_name", "m"], None, "m"),
    ],
    ids=str,
)
def test_a_command_is_recognised_by_one_kind_with_port_and_model(kind, argv, port, model):
    assert [name for name, server in SERVERS.items() if server.matches(argv)] == [kind]
    assert SERVERS[kind].port(argv) == port
    assert SERVERS[kind].model(argv) == model


@pytest.mark.parametrize(
    "argv",
    [AGENT, ["ray::ServeReplica:app:LLMServer"], ["python", "-m", "dynamo.planner"], ["trtllm-bench", "-m", "m"]],
)
def test_what_runs_beside_a_server_is_none(argv):
    assert not any(server.matches(argv) for server in SERVERS.values())


def test_nobody_is_asked_for_the_page_that_reading_empties_before_the_other_one():
    asked = list(dict.fromkeys(path for server in SERVERS.values() for path in server.probe_paths))
    assert asked.index("/prometheus/metrics") < asked.index("/metrics")
    assert SERVERS["trtllm"].probe_paths == ("/prometheus/metrics",)
