"""What reading a fleet costs beside Prometheus: 200 vLLM servers, each asked once a second, all in the same minutes.

    python benchmarks/fleet.py [--targets 200] [--interval 1] [--seconds 60] [--runs 3] [--settle 20]

Debian's Prometheus, infertop's fetching and parsing alone, and `infertop record` in whole read the same pages (a real
vLLM 0.32 under load, 55 KB) at the same time. CPU is that of each process with all its threads, user and system; the
servers' is not counted. Prometheus is taken from Debian's archive where it is not installed (nothing is installed for
it); where that cannot be had, this says so and exits with 2, and with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import figure, heading, median
from benchmarks.screen import INFERTOP, environ

READER = ROOT / "benchmarks" / "fleet_read.py"
SERVERS = 2
PROMETHEUS, READ, RECORD = "prometheus", "infertop: fetch and parse", "infertop record"
PATHS = {PROMETHEUS: "fleet-a", READ: "fleet-b", RECORD: "fleet-c"}  # which no discovery tries
_TICKS = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """What a process holds, in MB: the most it ever held, what it holds now, and the part of that it made itself."""

    peak: float
    now: float
    anonymous: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all three and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds from poll to poll (1)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each run is (60)")
    parser.add_argument("--runs", type=int, default=3, help="how many runs, one after the other (3)")
    parser.add_argument("--settle", type=float, default=20.0, help="how long all run before (20; 900 fills memory)")
    parser.add_argument("--keep", type=Path, help="keep the history here")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = told.keep or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        try:
            prometheus = find_prometheus(home)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"Prometheus is not installed and apt cannot get it: {error}", file=sys.stderr)
            return 2
        heading(f"{told.targets} targets every {told.interval:g} s, {told.runs} runs of {told.seconds:g} s")
        return 0 if measure(prometheus, home, told) else 1


def find_prometheus(home: Path) -> str:
    """Return the program, unpacked into `home` from Debian's package where it is not installed."""
    if found := shutil.which("prometheus"):
        return found
    subprocess.run(["apt-get", "download", "prometheus"], cwd=home, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["dpkg-deb", "-x", str(next(home.glob("prometheus*.deb"))), "unpacked"], cwd=home, check=True)
    return str(home / "unpacked" / "usr" / "bin" / "prometheus")


def measure(prometheus: str, home: Path, told: argparse.Namespace) -> bool:
    """Run everything, print the figures and return whether all targets were met."""
    with ExitStack() as stack:
        servers = [stack.enter_context(pages(count)) for count in shares(told.targets)]
        targets = [port for ports, _ in servers for port in ports]
        print(f"# pages of {servers[0][1] / 1000:.1f} KB", flush=True)
        commands = {
            PROMETHEUS: prometheus_command(prometheus, home, targets, told.interval),
            READ: [sys.executable, str(READER), f"{told.interval}", *urls(READ, targets)],
            RECORD: record_command(home, targets, told.interval),
        }
        running = {name: stack.enter_context(process(command, home, name)) for name, command in commands.items()}
        time.sleep(told.settle)
        results = [one_run(running, servers, told) for _ in range(told.runs)]
        met = verdicts(results, {name: memory(pid) for name, pid in running.items()}, told)
        up = scrapes_up(home, told)
        print(f"# Prometheus says that {up:.0f} scrapes of the last run were up")
    return met


class Run(NamedTuple):
    """One run: CPU seconds, and (polls, missed, longest wait) of each."""

    cpu: dict[str, float]
    asked: dict[str, tuple[int, int, float]]


def one_run(running: dict[str, int], servers: list[tuple[list[int], int]], told: argparse.Namespace) -> Run:
    """Watch all three for a while."""
    for ports, _ in servers:
        ask(ports[0], "/begin")
    before, began = {name: cpu_seconds(pid) for name, pid in running.items()}, time.monotonic()
    time.sleep(told.seconds)
    after, seconds = {name: cpu_seconds(pid) for name, pid in running.items()}, time.monotonic() - began
    said = [ask(ports[0], f"/asked={told.interval}") for ports, _ in servers]
    asked = {}
    for name, path in PATHS.items():
        counts, missed, longest = zip(*(each.get(path, [0, 0, 0.0]) for each in said), strict=True)
        # Who never asked a target let none of its intervals pass: that shows in the number of polls alone.
        never = told.targets * (told.seconds / told.interval - 1) - sum(counts) - sum(missed)
        asked[name] = int(sum(counts)), int(sum(missed) + max(never, 0)), max(longest)
    spent = {name: (after[name] - before[name]) * told.seconds / seconds for name in running}
    for name in running:
        polls, missed, longest = asked[name]
        each = spent[name] / max(polls, 1) * 1000
        ratio = spent[name] / spent[PROMETHEUS]
        print(
            f"  {name:28} {spent[name]:7.2f} s CPU {ratio:6.2f} x  {each:6.3f} ms a poll"
            f"  {polls:6} polls {missed:4} missed, longest wait {longest:.2f} s",
            flush=True,
        )
    return Run(spent, asked)


def verdicts(results: list[Run], held: dict[str, Memory], told: argparse.Namespace) -> bool:
    """Print the medians of all runs and what was aimed at."""
    expected = told.targets * told.seconds / told.interval
    ratios = {name: median([run.cpu[name] / run.cpu[PROMETHEUS] for run in results]) for name in (READ, RECORD)}
    met = []
    for name, most in ((READ, 1.0), (RECORD, 1.5)):
        met.append(figure(f"{name}: CPU / Prometheus's, median", ratios[name], "x", most))
        met.append(figure(f"{name}: missed of {expected:.0f} a run", max(r.asked[name][1] for r in results), "", 0))
    figure(f"{PROMETHEUS}: missed of {expected:.0f} a run", max(r.asked[PROMETHEUS][1] for r in results), "")
    for name, each in held.items():
        print(f"  {name:28} {each.peak:7.1f} MB at its peak {each.now:7.1f} now {each.anonymous:7.1f} of it anonymous")
    peer = held[PROMETHEUS]
    met.append(figure(f"{RECORD}: memory / Prometheus's", held[RECORD].now / peer.now, "x", 1 / 3))
    figure(f"{RECORD}: peak / Prometheus's", held[RECORD].peak / peer.peak, "x")
    return all(met)


def shares(targets: int) -> list[int]:
    """Divide targets among servers."""
    return [targets // SERVERS + (number < targets % SERVERS) for number in range(SERVERS)]


@contextmanager
def pages(targets: int) -> Iterator[tuple[list[int], int]]:
    """Serve so many targets; give their ports and the size of a page."""
    command = [sys.executable, str(ROOT / "benchmarks" / "fleet_pages.py"), str(targets)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            said = json.loads(running.stdout.readline())
            yield said["ports"], said["bytes"]
        finally:
            running.terminate()


@contextmanager
def process(command: list[str], home: Path, name: str) -> Iterator[int]:
    """Run a program, its words in a file; give its process id."""
    with (home / f"{name.replace(' ', '-')}.log").open("w") as log:
        env = os.environ | environ(home)
        with subprocess.Popen(command, stdout=log, stderr=log, cwd=home, env=env) as running:
            try:
                yield running.pid
            finally:
                running.terminate()


def urls(name: str, ports: Sequence[int]) -> list[str]:
    """Return where a reader asks, so that the servers know who it is."""
    return [f"http://127.0.0.1:{port}/{PATHS[name]}" for port in ports]


def prometheus_command(program: str, home: Path, ports: Sequence[int], interval: float) -> list[str]:
    """Write Prometheus's configuration and return its command line."""
    every = f"{round(interval * 1000)}ms"
    targets = [f"127.0.0.1:{port}" for port in ports]
    path = f"/{PATHS[PROMETHEUS]}/metrics"
    scrape = [{"job_name": "vllm", "metrics_path": path, "static_configs": [{"targets": targets}]}]
    configuration = {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": scrape}
    (home / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML
    port = free_port()
    (home / "prometheus.port").write_text(str(port))
    options = {
        "config.file": home / "prometheus.yml",
        "storage.tsdb.path": home / "prometheus-data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    return [program, *(f"--{key}={value}" for key, value in options.items())]


def record_command(home: Path, ports: Sequence[int], interval: float) -> list[str]:
    """Write infertop's configuration and return its command line."""
    sources = [f'[[source]]\nkind = "vllm"\nurl = "{url}"\ninterval = {interval}\n' for url in urls(RECORD, ports)]
    (home / "pricing.toml").write_text("[host]\nusd_per_hour = 2.0\n" + "".join(sources))
    where = ["--pricing", str(home / "pricing.toml"), "--db", str(home / "infertop.db")]
    return [*INFERTOP, "record", "--no-discovery", *where]


def free_port() -> int:
    """Return a port that nobody listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def ask(port: int, path: str) -> Any:
    """Ask a server on this machine and return its JSON."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def scrapes_up(home: Path, told: argparse.Namespace) -> float:
    """Return how many scrapes of the last run went well, as Prometheus itself counts them."""
    query = urllib.parse.quote(f"sum(sum_over_time(up[{told.seconds:.0f}s]))")
    result = ask(int((home / "prometheus.port").read_text()), f"/api/v1/query?query={query}")["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def memory(pid: int) -> Memory:
    """Return what a process holds."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    peak, now, own = (int(status[key].split()[0]) * 1024 / 1e6 for key in ("VmHWM", "VmRSS", "RssAnon"))
    return Memory(peak, now, own)


if __name__ == "__main__":
    sys.exit(main())
