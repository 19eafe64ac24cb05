"""OpenAI's and Anthropic's accounts through the real program, served on this machine as the providers would."""

import asyncio
import json
import signal
import threading
import time
from contextlib import contextmanager

import pytest

from tests.acceptance.program import Program, stop
from tests.acceptance.replayed import wait_for
from tests.acceptance.screen import on_screen
from tests.acceptance.test_exporter import page
from tests.provider_faces import ANTHROPIC_KEY, OPENAI_KEY, Anthropic, OpenAi
from tests.provider_world import DAY, HOUR, Billed, Group, World, error

KEYS = {"OPENAI_ADMIN_KEY": OPENAI_KEY, "ANTHROPIC_ADMIN_KEY": ANTHROPIC_KEY}
PRICING = """\
[[source]]
kind = "openai"
name = "openai"
url = "{}/v1"
key_env = "OPENAI_ADMIN_KEY"
[[source]]
kind = "anthropic"
name = "anthropic"
url = "{}"
key_env = "ANTHROPIC_ADMIN_KEY"
[model."gpt-4o"]
input = 2.5
cache_read = 0.25
cache_write_5m = 3.0
cache_write_1h = 5.0
output = 10.0
"""


@contextmanager
def served(*worlds):
    """Serve accounts in a thread while the block runs, and give their URLs."""
    loop, urls, ready = asyncio.new_event_loop(), [], threading.Event()

    async def serve():
        async with worlds[0].serve() as one, worlds[1].serve() as other:
            urls.extend((one, other))
            ready.set()
            await asyncio.get_running_loop().create_future()

    task = loop.create_task(serve())
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True)))
    thread.start()
    assert ready.wait(10)
    try:
        yield urls
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


@pytest.fixture
def infertop(tmp_path):
    return Program(tmp_path, KEYS)


@pytest.fixture
def worlds():
    now = time.time()
    made = World(OpenAi(), now + 600), World(Anthropic(), now + 600)
    for world in made:
        for days in range(1, 8):
            at = now - days * DAY
            world.use(at, input=1_000_000, cache_read=400, cache_write_5m=100, output=500, requests=5)
            world.use(at - HOUR, Group(key="key_b", project="proj_b", user="user_b"), input=10, output=7, requests=1)
        world.use(now - 1200, input=77, output=3, requests=1)
        world.page_buckets = 50
    return made


def configured(infertop, urls):
    (infertop.folder / "prices.toml").write_text(PRICING.format(*urls))
    return ("--pricing", "prices.toml")


def test_both_accounts_are_read_back_to_the_token_and_shown_by_name(infertop, worlds):
    with served(*worlds) as urls:
        words = configured(infertop, urls)
        done = infertop.run("record", *infertop.read, *words, "--for", "2")
        assert done.returncode == 0, done.stderr
        rows = infertop.report("--by", "provider,key,project", "--since", "9d", *words)
        check = infertop.run("check", *infertop.read, *words)
        reading = infertop.once(*words)
    found = {(row["provider"], row["key"], row["project"]): row["tokens"] for row in rows if row["key"]}
    assert found["openai", "Key a", "Project a"]["input"] == 7_000_077
    assert found["openai", "Key b", "Project b"]["output"] == 49
    assert sum(row["tokens"].get("cache_write_5m", 0) for row in rows if row["provider"] == "anthropic") == 700
    assert {row["usd"] is None for row in rows if row["key"]} == {False}
    assert check.returncode == 0
    lines = [line for line in check.stdout.splitlines() if line.startswith("source ")]
    for name in ("openai", "anthropic"):
        (line,) = [each for each in lines if each.split()[1] == name]
        assert line.split()[2] == "up"
    assert {row["name"]: row["state"] for row in reading["sources"] if row["name"] in ("openai", "anthropic")} == {
        "openai": "up",
        "anthropic": "up",
    }
    assert worlds[0].breaches == worlds[1].breaches == []


def test_a_settled_day_costs_what_was_billed(infertop, worlds):
    day = int(time.time() // DAY) * DAY - 4 * DAY
    for world in worlds:
        world.bill(day, "1.5")
        world.bills[day].append(Billed(world.bills[day][0].usd * 0 - 1, "gpt-4o", "input", "key_a", "proj_a"))
    with served(*worlds) as urls:
        words = configured(infertop, urls)
        assert infertop.run("record", *infertop.read, *words, "--for", "2").returncode == 0
        since, until = (time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(at)) for at in (day, day + DAY))
        rows = infertop.report("--by", "provider", "--since", since, "--until", until, *words)
    billed = float(sum(each.usd for each in worlds[0].bills[day]))
    assert {row["provider"]: row["usd"] for row in rows if row["provider"] != "local"} == {
        "openai": pytest.approx(billed, abs=1e-9),
        "anthropic": pytest.approx(billed, abs=1e-9),
    }


def test_a_scope_that_is_missing_is_one_line_of_check_with_what_to_do(infertop, worlds):
    for world in worlds:
        world.faults = [lambda asked: error(403, f"Missing scopes: api.usage.read {asked.path}")]
    with served(*worlds) as urls:
        done = infertop.run("check", *infertop.read, *configured(infertop, urls))
    assert done.returncode == 1
    for name in ("openai", "anthropic"):
        (line,) = [each for each in done.stdout.splitlines() if each.startswith("source ") and each.split()[1] == name]
        assert line.split()[2] == "auth"
        assert "Missing scopes: api.usage.read" in line
        assert "use an admin key" in line


def test_admin_keys_stand_nowhere_though_the_provider_says_them_back(infertop, worlds):
    for world in worlds:
        secret = world.face.key

        def tell(asked, secret=secret):
            return error(403, f"the key {secret} may not", x_key=secret) if "usage" not in asked.path else None

        world.faults = [tell]
    with served(*worlds) as urls:
        words = configured(infertop, urls)
        process = infertop.record(*words)
        wait_for(lambda: all(len(world.asked) > 12 for world in worlds))
        with open(f"/proc/{process.pid}/cmdline", "rb") as file:
            listed = file.read()
        assert stop(process, signal.SIGTERM)[0] == 0
        written = ""
        for command in (("--once", "--json"), ("check",), ("report",), ("report", "--format", "csv", "--by", "key")):
            done = infertop.run(*command, *(infertop.read if command[0] != "report" else ()), *words)
            written += done.stdout + done.stderr
        exporter = infertop.start("exporter", "--listen", "127.0.0.1:0", *infertop.read, *words)
        line = exporter.stderr.readline()
        wait_for(lambda: page(line.split()[-1]))
        exported = json.dumps(page(line.split()[-1]))
        stop(exporter, signal.SIGTERM)
        with on_screen(infertop, *infertop.read, *words) as screen:
            screen.shows("openai")
            assert screen.leave() == 0
        shown = bytes(screen.out)
    assert "may not" in written
    kept = b"".join(path.read_bytes() for path in infertop.folder.rglob("*") if path.is_file())
    for secret in KEYS.values():
        assert secret not in written + exported + line
        assert not any(secret.encode() in each for each in (shown, kept, listed))


def test_an_account_whose_pages_never_end_is_read_and_delays_nobody(infertop, worlds):
    count = [0]

    def endless(_asked, body):
        count[0] += 1
        return body | {"has_more": True, "next_page": f"page_{count[0]}"} if "data" in body else body

    def first(asked):
        items = tuple(each for each in asked.items if each[0] != "page")
        answer = worlds[0].face.answer(worlds[0], asked._replace(items=items))
        return answer._replace(body=endless(asked, answer.body)) if "page" in asked.params else None

    worlds[0].page_buckets = 1000
    worlds[0].mangle, worlds[0].faults = endless, [first]
    with served(*worlds) as urls:
        words = configured(infertop, urls)
        done = infertop.run("record", *infertop.read, *words, "--for", "3")
        assert done.returncode == 0
        rows = infertop.report("--by", "provider", "--since", "9d", *words)
    found = {row["provider"]: row["tokens"] for row in rows if row["provider"] != "local"}
    assert found["anthropic"]["input"] == found["openai"]["input"] == 7_000_147
