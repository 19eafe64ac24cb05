"""`infertop exporter` as a TSDB sees it: through the real program, read by prometheus_client."""

import json
import re
import signal
import socket
import sqlite3
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from prometheus_client.parser import text_string_to_metric_families as older

from tests.acceptance.hostile import says, serving, whole
from tests.acceptance.program import stop
from tests.acceptance.replayed import recording, replaying, wait_for

PAGES = recording("vllm/0.32.0.jsonl.gz", stride=6)[4:]
PRICING = '[host]\nusd_per_hour = 36\n[[budget]]\nname = "a \\"b\\" \\\\ c"\nlimit_usd = 100\nperiod = "day"\n'
NAME = 'a\\\\b\\"c\\nd} 1\\n# EOF'
HOSTILE = f'vllm:generation_tokens_total{{model_name="{NAME}"}} 5\nvllm:num_requests_running{{model_name="{NAME}"}} 1\n'
TOKEN = "canary-0123456789-abcdef"


def started(infertop, *words):
    """Start the exporter; return the process and the page's address."""
    (infertop.folder / "prices.toml").write_text(PRICING)
    words = ("exporter", "--listen", "127.0.0.1:0", "--pricing", "prices.toml", *infertop.read, *words)
    process = infertop.start(*words)
    line = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/metrics", line)
    assert found, line + process.stderr.read()
    return process, found[0]


def fetch(url, **headers):
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def page(url, **headers):
    """Return the page's samples as [(name, labels, value)], None while it is not there yet."""
    try:
        kind, text = fetch(url, **headers)
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return None
    families = (strict if kind.startswith("application/openmetrics-text; version=1.0.0") else older)(text)
    return [(each.name, each.labels, each.value) for family in families for each in family.samples]


def values(samples, name, **labels):
    return [value for of, have, value in samples or () if of == name and labels.items() <= have.items()]


def test_a_tsdb_reads_what_the_reading_and_the_report_say(infertop):
    with replaying(PAGES) as server:
        process, url = started(infertop, "--source", f"chat=vllm={server.url}")
        wait_for(lambda: values(page(url), "infertop_usd_per_hour", source="chat"))
        samples = page(url)
        assert values(samples, "infertop_total_usd_per_hour") == [36.0]
        assert values(samples, "infertop_usd_per_hour", source="chat", model="tiny-llama", provider="local") == [36.0]
        assert values(samples, "infertop_source_up", source="chat", kind="vllm") == [1]
        assert values(samples, "infertop_budget_limit_usd", budget='a "b" \\ c', period="day") == [100]
        assert values(samples, "infertop_recording") == [1]
        assert not values(samples, "infertop_gpu_usd_per_hour")
        assert values(page(url, Accept="text/plain"), "infertop_total_usd_per_hour") == [36.0]
        viewer = infertop.run("--once", "--json", "--pricing", "prices.toml")
        assert json.loads(viewer.stdout)["usd_per_hour"]["total"] == 36.0
        status, out, said = stop(process, signal.SIGTERM)
    assert (status, out) == (0, "")
    assert "Traceback" not in said
    rows = infertop.report("--pricing", "prices.toml")
    assert rows[0]["tokens"]["output"] > 0


def test_counters_are_the_ledgers_and_go_on_after_a_restart(infertop):
    # The clock of the ledger is the wall's: what was closed is what an earlier run left, moved back by some hours.
    with replaying(PAGES) as server:
        process = infertop.record("--source", f"chat=vllm={server.url}")
        server.wait_until_ended(process)
        assert stop(process, signal.SIGTERM)[0] == 0
        shift_back(infertop.database, 7200)
        told = {}
        for _ in range(2):
            process, url = started(infertop, "--source", f"chat=vllm={server.url}")
            wait_for(lambda: values(page(url), "infertop_tokens_total"))  # noqa: B023
            samples = page(url)
            for name, labels, value in samples:
                if name in ("infertop_tokens_total", "infertop_requests_total"):
                    key = (name, *sorted(labels.items()))
                    assert value >= told.get(key, 0)
                    told[key] = value
            assert stop(process, signal.SIGTERM)[0] == 0
    rows = infertop.report("--by", "source,model", "--until", "1h", "--since", "7d")
    (row,) = [row for row in rows if row["source"] == "chat"]
    shown = {dict(key[1:])["class"]: value for key, value in told.items() if key[0] == "infertop_tokens_total"}
    assert shown == row["tokens"]
    assert [value for key, value in told.items() if key[0] == "infertop_requests_total"] == [row["requests"]]


def shift_back(database, seconds):
    """Let the ledger have happened `seconds` ago, all of it closed."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE lines SET start = start - ?, until = until - ?, open = 0", (seconds, seconds))
    connection.close()


def test_hostile_names_break_no_page(infertop):
    with serving(says(whole(HOSTILE.encode(), "200 OK", "Content-Type: text/plain"))) as server:
        process, url = started(infertop, "--source", f"bad=vllm={server}")
        wait_for(lambda: values(page(url), "infertop_usd_per_hour", source="bad"))
        for form in ("application/openmetrics-text", "text/plain"):
            kind, text = fetch(url, Accept=form)
            assert kind.startswith(form)
            (line,) = [line for line in text.split("\n") if line.startswith("infertop_usd_per_hour{")]
            assert f'model="{NAME}"' in line
        (labels,) = [have for name, have, _ in page(url) if name == "infertop_usd_per_hour"]
        assert labels["model"] == 'a\\b"c\nd} 1\n# EOF'
        assert stop(process, signal.SIGTERM)[0] == 0


def test_peers_that_hang_hold_up_neither_the_polls_nor_the_page(infertop):
    with replaying(PAGES) as server:
        process, url = started(infertop, "--source", f"chat=vllm={server.url}")
        port = int(re.search(r":(\d+)/", url)[1])
        hanging = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for each in hanging:
            each.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        began = time.monotonic()
        server.wait_until_served(5, process)
        wait_for(lambda: values(page(url), "infertop_source_up", source="chat") == [1])
        assert time.monotonic() - began < 5  # until when a peer may take its time
        for each in hanging:
            each.close()
        assert stop(process, signal.SIGTERM)[0] == 0


def test_a_token_is_asked_for_and_stands_nowhere(infertop):
    token = infertop.folder / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    process, url = started(infertop, "--token-file", "token")
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(url)
    assert refused.value.code == 401
    wait_for(lambda: page(url, Authorization=f"Bearer {TOKEN}"))
    _, text = fetch(url, Authorization=f"Bearer {TOKEN}")
    status, out, said = stop(process, signal.SIGINT)
    assert status == 0
    assert TOKEN not in text + out + said
    for path in infertop.folder.rglob("*"):
        if path.is_file() and path != token:
            assert TOKEN.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--listen", "0.0.0.0:9109"), "can be reached from other machines"),
        (("--listen", "nonsense"), "must be HOST:PORT"),
        (("--token-file", "open"), "chmod 600"),
        (("--token-file", "missing"), "cannot be read: No such file"),
    ],
)
def test_what_would_be_unsafe_or_is_wrong_is_refused_before_anything_starts(infertop, words, why):
    (infertop.folder / "open").write_text(TOKEN)
    (infertop.folder / "open").chmod(0o644)
    done = infertop.run("exporter", *infertop.read, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert TOKEN not in done.stderr
    assert not infertop.database.exists()


def test_an_address_that_is_taken_is_said(infertop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = infertop.run("exporter", *infertop.read, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert re.search(r"127\.0\.0\.1:\d+ cannot be listened on: .*address already in use", done.stderr)


def test_beside_a_recorder_its_figures_are_served(infertop):
    with replaying(PAGES) as server:
        (infertop.folder / "prices.toml").write_text(PRICING)
        words = ("--source", f"chat=vllm={server.url}", "--pricing", "prices.toml")
        recorder = infertop.record(*words)
        server.wait_until_served(4, recorder)
        process, url = started(infertop)
        wait_for(lambda: values(page(url), "infertop_usd_per_hour", source="chat"))
        assert values(page(url), "infertop_recording") == [1]
        assert stop(recorder, signal.SIGTERM)[0] == 0
        wait_for(lambda: values(page(url), "infertop_recording") == [0])
        status, _, said = stop(process, signal.SIGTERM)
    assert status == 0
    assert f"is written by process {recorder.pid}: its figures are served" in said
