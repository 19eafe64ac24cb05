"""A machine with eight GPUs full of engines: one of each kind that is found by itself, as real process trees.

`Rack` writes the pages that they serve, edited from recorded ones, and the file that the stand-in for NVML reads.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.engine.actors import Actor, free_ports, script
from tests.recordings import PAYLOADS

PYTHON = sys.executable
_NAME = "NVIDIA H100 80GB HBM3"
GPU_BYTES = 85_899_345_920


def uuid(gpu: int) -> str:
    return f"GPU-{gpu:08x}-0000-0000-0000-000000000000"


def nvml(processes: Mapping[int, Sequence[tuple[int, int]]], gpus: int = 8) -> str:
    """Return a stand-in's machine: of each GPU the (pid, MiB) of the processes that are on it."""
    lines = ["driver=570.133.20", f"count={gpus}"]
    for gpu in range(gpus):
        procs = processes.get(gpu, ())
        used = sum(size for _, size in procs) * 2**20
        said = {
            "name": _NAME, "uuid": uuid(gpu), "util": 50 if procs else 0, "memutil": 10, "mem_total": GPU_BYTES,
            "mem_used": used, "mem_reserved": 0, "power_mw": 300_000, "limit_mw": 700_000, "energy_mj": 1, "temp": 50,
            "sm_clock": 1980, "mem_clock": 2619, "reasons": 0, "mig": 0, "gprocs": "", "mpsprocs": "", "putil": "",
            "procs": ",".join(f"{pid}:{size}" for pid, size in procs),
        }  # fmt: skip
        lines += [f"gpu.{gpu}.{name}={value}" for name, value in said.items()]
    return "\n".join(lines) + "\n"


class Rack:
    """The engines, and what each is expected to be found as."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = free_ports(10)
        script(folder / "bin/vllm")
        for module in ("vllm/entrypoints/openai/api_server", "sglang/launch_server"):
            script(folder / f"lib/{module}.py")
            for parent in Path(module).parents[:-1]:
                (folder / "lib" / parent / "__init__.py").touch()

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder / "lib"), "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"}

    def page(self, recorded: str, was: str = "", model: str = "") -> Path:
        """Write a recorded page in which another model is served."""
        text = (PAYLOADS / recorded).read_text()
        assert was in text
        path = self.folder / f"page-{len(list(self.folder.glob('page-*')))}"
        path.write_text(text.replace(was, model) if was else text)
        return path

    def text(self, text: str) -> Path:
        path = self.folder / f"page-{len(list(self.folder.glob('page-*')))}"
        path.write_text(text)
        return path

    def wrapped_vllm(self, model: str = "acme/wrapped") -> Actor:
        """`bash -c "vllm serve ..."`: the shell stays around the server, whose worker has a title of its own."""
        port = self.ports[0]
        page = {"/metrics": self.page("vllm/0.32.0_last.txt", "tiny-llama", model)}
        core = Actor("core", ("VLLM::EngineCore",))
        argv = ("bash", "-c", f"cd /; vllm serve {model} --port {port}; true")
        return Actor("wrapped", argv, {port: page}, (core,), real=True)

    def aliased_vllm(self) -> Actor:
        """An engine on four GPUs that serves its model under two other names."""
        port = self.ports[1]
        page = {"/metrics": self.page("vllm/0.20.0.txt", "Qwen/Qwen2.5-7B-Instruct", "alias-a")}
        workers = [Actor(f"tp{rank}", (f"VLLM::Worker_TP{rank}",)) for rank in range(4)]
        core = Actor("tp core", ("VLLM::EngineCore",), below=workers)
        argv = f"{PYTHON} -m vllm.entrypoints.openai.api_server --model acme/big -tp 4 --port {port}".split()
        return Actor("aliased", [*argv, "--served-model-name", "alias-a", "b"], {port: page}, (core,), real=True)

    def sglang(self) -> Actor:
        port = self.ports[2]
        page = {"/metrics": self.page("sglang/0.5.23.txt", "meta-llama/Llama-3.1-8B-Instruct", "acme/sg")}
        below = [Actor("scheduler", ("sglang::scheduler_TP0",)), Actor("detokenizer", ("sglang::detokenizer",))]
        argv = f"{PYTHON} -m sglang.launch_server --model-path acme/sg --enable-metrics --port {port}".split()
        return Actor("sglang", argv, {port: page}, below, real=True)

    def triton(self) -> Actor:
        http, port = self.ports[3], self.ports[4]
        stub = Actor("stub", ("/opt/tritonserver/backends/python/triton_python_backend_stub", "/models/tiny_llm/1"))
        said = (f"--http-port={http}", "--grpc-port", "0", "--metrics-port", str(port))
        page = {"/metrics": self.page("triton/2.51.0_last.txt")}
        return Actor("triton", ("tritonserver", "--model-repository=/models", *said), {port: page}, (stub,))

    def llama_server(self) -> Actor:
        port = self.ports[5]
        models = self.text('{"object":"list","data":[{"id":"acme/gguf","owned_by":"llamacpp"}]}')
        pages = {"/metrics": self.page("llamacpp/xllamacpp_last.txt"), "/v1/models": models}
        argv = ("/usr/local/bin/llama-server", "-m", "/models/gguf.gguf", "--alias", "acme/gguf", "--port", str(port))
        return Actor("llama", argv, {port: pages}, header="llama.cpp")

    def ollama(self) -> Actor:
        """Ollama on a port that its command does not name, and the server that it starts for a model."""
        port, inner = self.ports[6], self.ports[7]
        argv = ("/usr/bin/llama-server", "--model", "/usr/share/ollama/blobs/sha256-0", "--port", str(inner))
        child = Actor("runner", argv, {inner: {}}, header="llama.cpp")
        pages = {"/api/ps": self.page("ollama/synthetic.page.json")}
        return Actor("ollama", ("/usr/local/bin/ollama", "serve"), {port: pages}, (child,))

    def tgi(self) -> Actor:
        port, second = self.ports[8], self.ports[9]
        info = self.text('{"model_id": "acme/tgi"}')
        page = self.page("tgi/synthetic.txt")
        said = ("text-generation-router", "serve", "--port", str(port), "--prometheus-port", str(second))
        router = Actor("router", said, {port: {"/metrics": page, "/info": info}, second: {"/metrics": page}})
        server = ("/opt/conda/bin/python3", "/opt/conda/bin/text-generation-server", "serve", "acme/tgi")
        argv = ("text-generation-launcher", "--model-id", "acme/tgi", "--port", str(port))
        return Actor("tgi", argv, below=(router, Actor("shard", server)))

    def all(self) -> tuple[Actor, ...]:
        engines = (self.wrapped_vllm(), self.aliased_vllm(), self.sglang(), self.triton())
        return (*engines, self.llama_server(), self.ollama(), self.tgi())
