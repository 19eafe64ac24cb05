"""Real inference servers for tests, each installed once from the package registry into a cache of its own.

Nothing here is written by this project: llama.cpp's HTTP server comes out of xllamacpp, Triton out of nvidia-pytriton.
They listen on 127.0.0.1, on ports that were free a moment ago, and end with the test.
"""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "infertop-tests"
LLAMACPP = ("xllamacpp==2026.10.11549", "gguf")
TRITON = ("nvidia-pytriton==0.7.0",)
START_SECONDS = 90.0


@dataclass(frozen=True)
class Server:
    url: str
    pid: int
    metrics_url: str = ""


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """Return a virtual environment that holds `packages`, made at the first call."""
    home = CACHE / name
    stamp = home / "ready"
    wanted = "\n".join(packages)
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin/pip", "install", "--quiet", *packages], check=True, timeout=900)
        stamp.write_text(wanted)
    return home


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def llamacpp(port: int | None = None, alias: str = "tiny-gguf") -> Iterator[Server]:
    home = environment("llamacpp", LLAMACPP)
    model = CACHE / "tiny.gguf"
    if not model.is_file():
        made = CACHE / f"tiny-{os.getpid()}.gguf"
        subprocess.run([home / "bin/python", HERE / "make_tiny_gguf.py", made], check=True, timeout=120)
        made.rename(model)
    port = port or free_port()
    command = [home / "bin/python", HERE / "serve_llamacpp.py", model, str(port), alias]
    with running(command, f"http://127.0.0.1:{port}/health") as pid:
        yield Server(f"http://127.0.0.1:{port}", pid)


@contextmanager
def triton(scratch: Path, models: Path = HERE / "triton_models") -> Iterator[Server]:
    home = environment("triton", TRITON)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    server = site / "pytriton/tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = server / "backends/python/triton_python_backend_stub"
    if not stub.exists():
        # The wheel keeps one stub per Python version; the server looks for it beside the backend.
        stub.symlink_to(f"../../python_backend_stubs/{version}/triton_python_backend_stub")
    models = shutil.copytree(models, scratch / "models")
    http, grpc, metrics = free_port(), free_port(), free_port()
    command = [
        server / "bin/tritonserver",
        *("--model-repository", models, "--backend-directory", server / "backends"),
        *("--cache-directory", server / "caches", "--cache-config", "local,size=1048576"),
        *("--http-address", "127.0.0.1", "--http-port", str(http)),
        *("--grpc-address", "127.0.0.1", "--grpc-port", str(grpc)),
        *("--metrics-address", "127.0.0.1", "--metrics-port", str(metrics)),
        *("--metrics-config", "summary_latencies=true", "--exit-timeout-secs", "2"),
    ]
    paths = {
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(site),
        "LD_LIBRARY_PATH": str(site / "nvidia_pytriton.libs"),
    }
    with running(command, f"http://127.0.0.1:{http}/v2/health/ready", paths) as pid:
        yield Server(f"http://127.0.0.1:{http}", pid, f"http://127.0.0.1:{metrics}")


@contextmanager
def running(command: list[object], ready_url: str, more_environment: dict[str, str] | None = None) -> Iterator[int]:
    """Run a server until the block ends; enter the block once `ready_url` answers 200."""
    log = CACHE / f"server-{os.getpid()}-{ready_url.rsplit(':', 1)[1].split('/')[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(more_environment or {})},
        )
        try:
            wait_until_ready(process, ready_url, log)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
    log.unlink(missing_ok=True)


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    # A server in another process has no event to await: its readiness endpoint is asked until it answers.
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server was not ready within {START_SECONDS:g} s:\n{log.read_text()[-2000:]}")
