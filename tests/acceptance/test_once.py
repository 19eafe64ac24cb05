"""`infertop --once --json`: valid against `infertop schema`, with sums that are right, whatever there is to be read."""

import json
import shutil
import time

import jsonschema
import pytest

from tests.acceptance.hostile import closed_port, drips, floods, serving_all
from tests.acceptance.program import Program
from tests.acceptance.replayed import recording, replaying
from tests.nvml.standin import MACHINES, NoCompilerError, build

GPU_0 = "GPU-11111111-2222-3333-4444-555555555555"
PAGES = recording("vllm/0.32.0.jsonl.gz", stride=6)[4:]
OK = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    done = Program(tmp_path_factory.mktemp("schema")).run("schema")
    found = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.fixture
def with_gpus(tmp_path):
    """A machine with two H100, of which a process that nobody knows holds the first."""
    try:
        build(tmp_path / "driver")
    except NoCompilerError as missing:
        pytest.skip(str(missing))
    shutil.copy(MACHINES / "h100x2.txt", tmp_path / "machine.txt")
    return Program(tmp_path, {"LD_LIBRARY_PATH": str(tmp_path / "driver"), "FAKE_NVML": str(tmp_path / "machine.txt")})


def read(infertop, schema, *words, pricing=""):
    """Return the reading and the errors; it is valid, has no escape code and came within ten seconds."""
    (infertop.folder / "prices.toml").write_text(pricing)
    began = time.monotonic()
    done = infertop.run("--once", "--json", "--pricing", "prices.toml", *infertop.read, "--interval", "0.3", *words)
    assert time.monotonic() - began < 10
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    reading = json.loads(done.stdout)
    jsonschema.validate(reading, schema)
    return reading, done.stderr


def usd(rows, key="usd_per_hour"):
    return sum(row[key] or 0.0 for row in rows)


def test_a_machine_with_nothing_on_it(infertop, schema):
    reading, said = read(infertop, schema)
    assert (reading["models"], reading["gpus"], reading["budgets"], reading["demo"]) == ([], [], [], False)
    assert set(reading["usd_per_hour"].values()) == {None}
    assert {row["name"]: row["state"] for row in reading["sources"]} == {"nvml": "absent", "host": "up"}
    assert "NVML library not found" in reading["sources"][0]["detail"]
    assert said == ""


def test_discovery_looks_around_without_being_asked(infertop, schema):
    infertop.read = ("--interval", "0.1")
    reading, _ = read(infertop, schema)
    assert {"nvml", "host"} <= {row["name"] for row in reading["sources"]}


def test_an_engine_is_read_twice_and_has_rates_but_no_cost_without_a_price(infertop, schema):
    with replaying(PAGES) as server:
        reading, _ = read(infertop, schema, "--source", f"chat=vllm={server.url}")
    (row,) = reading["models"]
    assert (row["model"], row["source"], row["provider"], row["basis"]) == ("tiny-llama", "chat", "local", "measured")
    assert 0.05 < reading["window_seconds"] < 5
    assert all(rate > 0 for rate in row["tokens_per_second"].values())
    assert row["requests_per_second"] > 0
    assert row["seconds"]["ttft"]["p50"] > 0
    assert row["totals"]["output"] > 0
    assert (row["usd_per_hour"], row["usd_per_request"], row["totals"]["usd"]) == (None, None, None)
    assert reading["usd_per_hour"]["total"] is None


HOST = """\
[host]
usd_per_hour = 0.40
[[budget]]
name = "all"
limit_usd = 1.5
period = "day"
[[budget]]
name = "other models"
limit_usd = 3
period = "month"
model = "gpt-*"
"""


def test_a_machine_without_a_gpu_carries_its_model_at_the_hosts_rate(infertop, schema):
    with replaying(PAGES) as server:
        reading, _ = read(infertop, schema, "--source", f"vllm={server.url}", pricing=HOST)
    (row,) = reading["models"]
    assert reading["usd_per_hour"] == {
        "total": 0.4, "gpu": None, "host": 0.4, "api": None, "idle": None, "unheld": None
    }  # fmt: skip
    assert row["usd_per_hour"] == pytest.approx(0.4)
    seconds = reading["window_seconds"]
    assert row["usd_per_request"] == pytest.approx(0.4 / 3600 / row["requests_per_second"], rel=1e-6)
    per_hour = sum(rate * row["usd_per_million_tokens"][name] for name, rate in row["tokens_per_second"].items())
    assert per_hour * 3600 / 1e6 == pytest.approx(0.4, rel=1e-6)
    all_tokens = sum(row["tokens_per_second"].values())
    assert row["usd_per_million_tokens"]["blended"] == pytest.approx(0.4 / 3600 / all_tokens * 1e6, rel=1e-6)
    everything, others = reading["budgets"]
    assert (everything["name"], everything["limit_usd"], everything["level"]) == ("all", 1.5, "ok")
    assert everything["burn_usd_per_hour"] == pytest.approx(0.4)
    assert 0 < everything["spent_usd"] <= 0.4 * (seconds + 10) / 3600
    assert everything["fraction"] == pytest.approx(everything["spent_usd"] / 1.5)
    assert (others["name"], others["spent_usd"] or 0.0, others["burn_usd_per_hour"] or 0.0) == ("other models", 0, 0)


GPUS = """\
[gpu."H100"]
usd_per_hour = 2.40
[[source]]
kind = "vllm"
name = "one"
url = "{}"
gpus = ["{}"]
[[budget]]
name = "all"
limit_usd = 100
period = "day"
"""
SHARED = """\
[[source]]
kind = "vllm"
name = "two"
url = "{}"
gpus = ["{}"]
"""


def check_sums(reading):
    head = reading["usd_per_hour"]
    assert usd(reading["gpus"]) == pytest.approx(head["gpu"], abs=1e-9)
    assert usd(reading["gpus"], "idle_usd_per_hour") == pytest.approx(head["idle"], abs=1e-9)
    assert usd(reading["models"]) + head["unheld"] == pytest.approx(head["gpu"] + (head["api"] or 0.0), abs=1e-9)
    assert head["gpu"] + (head["host"] or 0.0) + (head["api"] or 0.0) == pytest.approx(head["total"], abs=1e-9)


def test_a_gpu_that_is_held_goes_to_its_model_and_one_that_is_not_is_unheld(with_gpus, schema):
    with replaying(PAGES) as server:
        reading, _ = read(with_gpus, schema, pricing=GPUS.format(server.url, GPU_0))
    check_sums(reading)
    first, second = reading["gpus"]
    assert (first["uuid"], first["index"], first["models"], first["utilization"]) == (GPU_0, 0, ["tiny-llama"], 0.87)
    assert first["idle_usd_per_hour"] == pytest.approx(2.4 * 0.13)
    assert (second["models"], second["idle_usd_per_hour"], second["power_watts"]) == ([], 2.4, 71)
    assert first["price_source"].endswith("prices.toml:2")
    assert reading["usd_per_hour"]["unheld"] == pytest.approx(2.4)
    (row,) = reading["models"]
    assert row["usd_per_hour"] == pytest.approx(2.4)
    assert row["usd_per_request"] > 0
    assert reading["budgets"][0]["burn_usd_per_hour"] == pytest.approx(4.8)


def test_a_gpu_that_two_models_share_is_divided_among_them(with_gpus, schema):
    with replaying(PAGES) as one, replaying(PAGES[10:]) as two:
        pricing = "[host]\nusd_per_hour = 0.2\n" + GPUS.format(one.url, GPU_0) + SHARED.format(two.url, GPU_0)
        reading, _ = read(with_gpus, schema, pricing=pricing)
    check_sums(reading)
    assert {row["source"] for row in reading["models"]} == {"one", "two"}
    assert all(0 < row["usd_per_hour"] < 2.4 for row in reading["models"])
    assert reading["usd_per_hour"]["total"] == pytest.approx(5.0)


def test_default_rates_are_used_where_no_price_is_set_and_say_so(with_gpus, schema):
    reading, _ = read(with_gpus, schema)
    check_sums(reading)
    assert reading["usd_per_hour"]["gpu"] == reading["usd_per_hour"]["unheld"] > 0
    assert all("prices.toml" not in row["price_source"] for row in reading["gpus"])


def test_dead_slow_and_endless_sources_do_not_hold_it_up(infertop, schema):
    acts = {"slow": drips(OK, b"a", 0.2), "silent": drips(b"", b"", 60.0), "endless": floods(OK, b"a 1\n" * 4096)}
    with serving_all(acts) as urls, replaying(PAGES) as server:
        urls |= {"dead": closed_port(), "nowhere": "http://no-such-host.invalid:8000", "good": server.url}
        words = [word for name, url in urls.items() for word in ("--source", f"{name}=vllm={url}")]
        reading, _ = read(infertop, schema, *words)
    states = {row["name"]: row["state"] for row in reading["sources"]}
    assert states.pop("good") == "up"
    assert {states[name] for name in urls if name != "good"} == {"down"}
    assert all(row["detail"] for row in reading["sources"] if row["state"] == "down")
    (row,) = reading["models"]
    assert row["tokens_per_second"]["output"] > 0


def test_the_demo_says_that_it_is_one(infertop, schema):
    done = infertop.run("--demo", "--once", "--json")
    reading = json.loads(done.stdout)
    jsonschema.validate(reading, schema)
    assert reading["demo"] is True
    assert reading["models"]
    assert reading["gpus"]
    check_sums(reading)
    assert not infertop.database.exists()
    assert "DEMO" in infertop.run("--demo", "--once").stdout


def test_text_has_the_figures_of_the_reading_and_no_escape_code(with_gpus):
    with replaying(PAGES) as server:
        (with_gpus.folder / "prices.toml").write_text(GPUS.format(server.url, GPU_0))
        done = with_gpus.run("--once", "--pricing", "prices.toml", *with_gpus.read)
    assert (done.returncode, "\x1b" in done.stdout) == (0, False)
    assert "4.80" in done.stdout
    assert "tiny-llama" in done.stdout


def test_the_screen_without_a_terminal_gives_one_reading_as_text(infertop):
    done = infertop.run(*infertop.read)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "no terminal here" in done.stderr
    assert "NVML library not found" in done.stdout


def test_a_reader_that_goes_away_is_no_failure(infertop):
    process = infertop.start("schema")
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in said) == (0, False)
