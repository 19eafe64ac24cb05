"""What every kind keeps to, whichever system it reads."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import KINDS
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.engine.http import Http
from infertop.readings.registry import METRICS
from tests.collectors.reading import plain, source
from tests.fakes import FakeClock
from tests.recordings import PAYLOADS, answers

OVER_HTTP = [name for name, kind in KINDS.items() if kind.server]
PAGES = {name: [p for p in answers() if p.parent.name == name and p.name != "http.txt"] for name in OVER_HTTP}
NOWHERE = "http://127.0.0.1:9"  # the port named discard: nothing listens there


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_says_what_it_is(kind):
    assert KINDS[kind.name] is kind
    assert kind.help
    assert "\n" not in kind.help
    assert all(option.name and option.help for option in kind.options)
    assert kind.server is None or kind.server.kind == kind.name


@pytest.mark.parametrize("name", OVER_HTTP)
def test_only_metrics_and_labels_of_the_registry_are_emitted(name):
    assert PAGES[name], f"no recorded page of {name}"
    for page in PAGES[name]:
        for series in source(name).parse(page.read_bytes(), 1.0).series:
            assert {label for label, _ in series.labels} <= set(METRICS[series.metric].labels), series


@pytest.mark.parametrize("name", OVER_HTTP)
@given(st.data())
def test_a_page_with_a_piece_of_rubbish_in_it_never_breaks_a_collector(name, data):
    page = data.draw(st.sampled_from(PAGES[name])).read_bytes()
    at = data.draw(st.integers(0, len(page)))
    until = data.draw(st.integers(at, min(len(page), at + 2_000)))
    rubbish = data.draw(st.binary(max_size=50) | st.sampled_from([b"\n", b"{", b'"', b"NaN", b"-1", b"1e999", b"\x00"]))
    broken = page[:at] + rubbish + page[until:]
    sentences, series, values = read(source(name), broken)
    assert all(sentence.isprintable() for sentence in sentences)
    assert len(series) == len(set(series)) == len(values)
    assert all(math.isfinite(plain(value)) for value in values)


def read(collector, page):
    try:
        batch = collector.parse(page, 1.0)
    except Unavailable as problem:
        return (problem.sentence,), (), ()
    return batch.notes, batch.series, batch.values


@pytest.mark.parametrize("name", OVER_HTTP)
async def test_a_refused_connection_is_unavailable_with_a_sentence(name):
    collector = KINDS[name].make(SourceConfig(name, name, NOWHERE), Http(NOWHERE), FakeClock())
    with pytest.raises(Unavailable, match=r"connection refused at 127\.0\.0\.1:9"):
        await collector.collect(1.0)
    await collector.close()


@pytest.mark.parametrize("name", OVER_HTTP)
def test_without_a_url_it_is_said_that_one_is_needed(name):
    with pytest.raises(ValueError, match=f"here: {name} needs a url"):
        KINDS[name].make(SourceConfig(name, "here"), None, FakeClock())


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_page_is_confirmed_by_its_own_kind_alone(name):
    for page in answers():
        confirmed = KINDS[name].server.confirm(200, {}, page.read_bytes())
        assert confirmed == (page in PAGES[name]), page


def test_servers_that_show_no_metrics_are_confirmed_by_what_else_they_say():
    vllm, llama = KINDS["vllm"].server, KINDS["llamacpp"].server
    assert vllm.confirm(200, {}, b'{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}')
    assert not vllm.confirm(401, {}, b'{"error":"Unauthorized"}')
    assert llama.confirm(501, {"server": "llama.cpp"}, b'{"error":{"code":501}}')
    assert not llama.confirm(501, {"server": "uvicorn"}, b'{"error":{"code":501}}')


@pytest.mark.parametrize(
    ("kind", "argv", "port", "model"),
    [
        ("vllm", ["/usr/bin/python3", "/usr/bin/vllm", "serve", "org/m", "--port", "8001"], 8001, "org/m"),
        ("vllm", ["python", "-m", "vllm.entrypoints.openai.api_server", "--model", "m", "--port=81"], 81, "m"),
        (
            "vllm",
            ["python", "-m", "vllm.entrypoints.cli.main", "serve", "m", "--served-model-name", "a", "b"],
            None,
            "a",
        ),
        ("vllm", ["bash", "-c", "exec vllm serve org/m --port 8001"], 8001, "org/m"),
        ("vllm", ["vllm", "serve", "m", "--port", "many"], None, "m"),
        ("vllm", ["vllm", "serve", "m", "--port", "99999"], None, "m"),
        ("triton", ["tritonserver", "--model-repository=/m", "--metrics-port=9002", "--http-port", "1"], 9002, None),
        ("triton", ["/opt/tritonserver/bin/tritonserver", "--model-store", "/m"], None, None),
        ("llamacpp", ["./llama-server", "-m", "/m/x.gguf", "--port", "8090", "--metrics"], 8090, "/m/x.gguf"),
        ("llamacpp", ["llama-server", "-hf", "org/m", "-a", "name"], None, "name"),
    ],
)
def test_a_servers_command_is_recognised_with_port_and_model(kind, argv, port, model):
    assert [name for name in OVER_HTTP if KINDS[name].server.matches(argv)] == [kind]
    assert KINDS[kind].server.port(argv) == port
    assert KINDS[kind].server.model(argv) == model


@pytest.mark.parametrize(
    "argv",
    [
        ["VLLM::EngineCore"],
        ["vllm", "bench", "serve", "--model", "m"],
        ["python", "-c", "from multiprocessing.spawn import spawn_main"],
        ["/opt/tritonserver/backends/python/triton_python_backend_stub", "m"],
        ["llama-cli", "-m", "x.gguf"],
        [],
    ],
    ids=str,
)
def test_workers_and_other_programs_are_no_servers(argv):
    assert not any(KINDS[name].server.matches(argv) for name in OVER_HTTP)


def test_importing_the_collectors_loads_no_library():
    code = "import sys, collectors; print([m for m in ('httpx', 'psutil', 'pynvml', 'textual') if m in sys.modules])"
    root = PAYLOADS.parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
