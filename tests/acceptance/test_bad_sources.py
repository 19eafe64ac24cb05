"""Sources that are down, slow, hostile or half wrong: each says why, others go on, and no total is lost or doubled."""

import gzip
import signal
from pathlib import Path

from tests.acceptance import hostile
from tests.acceptance.hostile import OK, PAGE, closed_port, drips, floods, garbled, says, serving, serving_all, whole
from tests.acceptance.program import risen, stop
from tests.acceptance.replayed import recording, replaying
from tests.acceptance.test_recordings import VLLM

PAGES = recording("vllm/0.32.0.jsonl.gz", stride=9)
MOST_BYTES = 150 * 2**20


def tokens(pages):
    rise = risen(pages, VLLM)
    return {"input": rise["prompt"] - rise["cached"], "cache_read": rise["cached"], "output": rise["output"]}


LIE = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + PAGE * 3
# What each server does, and what infertop has to say of it.
WRONG = {
    "silent": (drips(b"", b"", 60.0), "no answer"),
    "slow_head": (drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.2), "no answer"),
    "slow_body": (drips(OK + b"\r\n", b"a 1\n", 0.2), "no answer"),
    "endless": (floods(OK + b"\r\n", PAGE * 1000), "is larger than"),
    "bomb": (says(hostile.bomb()), "is larger than"),
    "not_gzip": (says(whole(PAGE, "200 OK", "Content-Encoding: gzip")), "is not valid gzip"),
    "half_gzip": (says(whole(gzip.compress(PAGE * 99)[:-9], "200 OK", "Content-Encoding: gzip")), "in the middle"),
    "redirect": (says(whole(b"", "302 Found", "Location: http://169.254.169.254/latest")), "which is not followed"),
    "to_file": (says(whole(b"", "301 Moved", "Location: file:///etc/passwd")), "which is not followed"),
    "html": (says(whole(b"<!DOCTYPE html><html>sign in</html>")), "answers with a web page"),
    "json": (says(whole(b'{"error": 1}\n')), "answers with JSON"),
    "cut_short": (says(LIE), ""),
    "cut_line": (says(OK + b"\r\n" + PAGE * 3 + b"vllm:generation"), "ends in the middle of a line"),
    "no_key": (says(whole(b"", "401 Unauthorized")), "asks for a key"),
    "forbidden": (says(whole(b"", "403 Forbidden")), "does not allow"),
    "too_many": (says(whole(b"", "429 Too Many Requests", "Retry-After: 1000000000")), "asks for fewer requests"),
    "broken": (says(whole(b"", "500 Internal Server Error")), "HTTP 500"),
    "missing": (says(whole(b"", "404 Not Found")), "there is no /metrics"),
    "not_http": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), ""),
    "nothing": (says(b""), ""),
    "empty": (says(whole(b"")), "serves no vllm series"),
    "nul": (says(whole(b"\x00" * 5000 + b"\n")), "serves no vllm series"),
}


def peak_bytes(process):
    """Return the most memory that a running process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def test_every_bad_source_says_why_and_the_good_one_is_counted(infertop):
    with serving_all({name: act for name, (act, _) in WRONG.items()}) as urls, replaying(PAGES) as server:
        urls["dead"] = closed_port()
        words = [word for name, url in urls.items() for word in ("--source", f"{name}=vllm={url}")]
        process = infertop.record(*words, "--source", f"good=vllm={server.url}")
        reading = infertop.once(*words, "--db", "other.db")
        server.wait_until_served(12, process)
        assert peak_bytes(process) < MOST_BYTES
        status, _, said = stop(process, signal.SIGTERM)
    assert (status, "Traceback" in said) == (0, False), said
    (row,) = infertop.report("--by", "source,model")
    assert (row["source"], row["tokens"]) == ("good", tokens(server.served))
    sources = {each["name"]: each for each in reading["sources"]}
    missing = {name: sources[name]["detail"] for name, (_, why) in WRONG.items() if why not in sources[name]["detail"]}
    assert missing == {}
    assert "refused" in sources["dead"]["detail"]
    assert all(sources[name]["detail"] for name in urls)
    keyed = {"no_key", "forbidden"}
    assert {sources[name]["state"] for name in keyed} == {"auth"}
    assert sources["empty"]["state"] == "absent"  # as a vLLM that keeps no statistics
    assert {sources[name]["state"] for name in set(urls) - keyed - {"empty"}} == {"down"}


def test_a_redirect_is_not_followed_to_anybody(infertop):
    asked = []
    with (
        serving(says(whole(PAGE)), asked) as other,
        serving(says(whole(b"", "302 Found", f"Location: {other}/there"))) as url,
    ):
        reading = infertop.once("--source", f"vllm={url}")
    assert not any(b"/there" in head for head in asked)
    assert "which is not followed" in reading["sources"][0]["detail"]


def every_second_garbled(pages, seed):
    """Garble every second page, but none beside a restart, where what is lost is lost for good, and not the last."""
    kept = {i + step for i, page in enumerate(pages) if page is None for step in (-1, 0, 1)} | {len(pages) - 1}
    return [page if i in kept or i % 2 else garbled(page, seed + i) for i, page in enumerate(pages)]


def test_pages_of_which_every_second_is_half_wrong_lose_nothing_and_count_nothing_twice(infertop):
    with replaying(every_second_garbled(PAGES, seed=1)) as server:
        process = infertop.record("--source", f"vllm={server.url}")
        server.wait_until_served(3, process)
        server.wait_until_ended(process)
        status, _, said = stop(process, signal.SIGTERM)
    assert status == 0, said
    # The first page is garbled, so that the second is the first that counters can be compared with.
    whole_pages = [page for page in PAGES if page is not None][1:]
    (row,) = infertop.report("--by", "model")
    assert row["tokens"] == tokens(whole_pages)
    assert row["requests"] == risen(whole_pages, VLLM)["requests"]


def odd_page(model="m", **values):
    """A small page of vLLM."""
    lines = [f'vllm:{name}{{model_name="{model}"}} {value}' for name, value in values.items()]
    return "\n".join([*lines, ""])


def test_numbers_that_are_none_and_lines_that_stand_twice_add_nothing(infertop):
    good = {"prompt_tokens_total": 100, "request_params_n_count": 10, "num_requests_running": 1}
    pages = [
        odd_page(**good, generation_tokens_total=1000),
        odd_page(**good, generation_tokens_total="NaN"),
        odd_page(**good, generation_tokens_total="+Inf"),
        odd_page(**good, generation_tokens_total=-5),
        odd_page(**good, generation_tokens_total=1001) + odd_page(generation_tokens_total=9000),
        odd_page(**good, generation_tokens_total="1e400"),
        odd_page(**good, generation_tokens_total=1002) + "vllm:generation_tokens_total{model_name=\n",
        odd_page(**good, generation_tokens_total=1003) + odd_page("\ud83d" + "x" * 2**20, num_requests_running=1),
    ]
    with replaying([page.encode("utf-8", "surrogatepass").decode("latin-1") for page in pages]) as server:
        process = infertop.record("--source", f"vllm={server.url}")
        server.wait_until_ended(process)
        assert stop(process, signal.SIGTERM)[0] == 0
    rows = {row["model"]: row["tokens"] for row in infertop.report("--by", "model")}
    assert rows["m"] == {"input": 0, "output": 3}


def test_a_page_of_too_many_series_is_bounded_and_the_others_go_on(infertop):
    many = "".join(f'vllm:num_requests_running{{model_name="m{n}"}} 1\n' for n in range(60_000))
    with replaying([many]) as flood, replaying(PAGES) as server:
        words = ("--source", f"many=vllm={flood.url}", "--source", f"good=vllm={server.url}", "--interval", "1")
        reading = infertop.once(*words)
    details = {each["name"]: each for each in reading["sources"]}
    assert "beyond what a page may have" in details["many"]["detail"]
    assert details["good"]["state"] == "up"
    assert sum(row["source"] == "good" for row in reading["models"]) == 1
    assert infertop.database.stat().st_size < MOST_BYTES
