"""`infertop cost` and its streams: long, hostile, slow, closed, and answers as they come."""

import json
import os
import resource
import subprocess
import sys

import pytest

from tests.acceptance.test_cost import GPT_4O, lines, priced


def test_hostile_lines_cost_a_line_each_and_little_memory(infertop, tmp_path):
    good = lines({"id": "good", **GPT_4O, "tokens": {"input": 1}}).encode()
    hostile = [
        b'{"id": "' + b"x" * 100_000_000,
        b"[" * 900_000,
        b'{"a":' * 100_000,
        b"\xff\xfe\x00",
        b"\x00" * 5000,
        b'{"provider": "openai", "model": "gpt-4o", "tokens": {"input": ' + b"9" * 500_000 + b"}}",
        b'{"id": "\\ud800", "provider": "openai", "model": "gpt-4o", "tokens": {"' + b"k" * 900_000 + b'": -1}}',
        b'{"id": 1, "provider": "' + b"p" * 900_000 + b'", "model": "gpt-4o", "tokens": {}}',
        b'{"id": 1, "provider": "openai", "model": "gpt-4o", "tokens": {}, "at": "' + b"t" * 900_000 + b'"}',
        b'{"id": 1, "provider": "openai", "model": "gpt-4o", "tokens": {}, "shape": [], "usage": {}, "tokens": null}',
    ]
    file = tmp_path / "hostile.jsonl"
    file.write_bytes(good + b"\n".join(hostile) + b"\n" + good)
    limit = 400 * 2**20

    def bounded():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = infertop.run("cost", str(file), preexec_fn=bounded)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    count = f"of {len(hostile) + 2} lines {len(hostile)} are no usage record"
    assert (done.returncode, done.stderr) == (1, f"infertop: {count}\n")
    assert answers[0] == answers[-1]
    assert [each["line"] for each in answers[1:-1]] == list(range(2, len(hostile) + 2))
    assert all(len(each["error"]) < 300 for each in answers[1:-1])
    assert answers[1]["error"] == "is longer than 1000000 bytes: it is not read"
    assert len(done.stdout) < 5000


def test_ids_come_back_as_given(infertop):
    ids = [None, 0, -1.5, "", "é\u0000\u202e\ud800", {"a": [1, {"b": None}]}, [True], "x" * 100_000]
    answers = priced(infertop, *({"id": each, **GPT_4O, "tokens": {}} for each in ids), {**GPT_4O, "tokens": {}})
    assert [each["id"] for each in answers] == [*ids, None]


def test_an_answer_comes_before_the_next_record_is_sent(infertop):
    process = infertop.start("cost", "-", stdin=subprocess.PIPE)
    for number in range(3):
        process.stdin.write(lines({"id": number, **GPT_4O, "tokens": {}}))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == number
    process.stdin.close()
    assert process.wait(40) == 0


def test_a_reader_who_leaves_early_is_no_failure(infertop, tmp_path):
    file = tmp_path / "many.jsonl"
    file.write_text(lines({"id": 1, **GPT_4O, "tokens": {}}) * 20_000)
    process = infertop.start("cost", str(file))
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(40) == 0
    assert process.stderr.read() == ""


def test_a_pipe_is_a_file_like_any_other(infertop, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = infertop.start("cost", str(pipe))
    with open(pipe, "w") as out:
        out.write(lines({"id": "p", **GPT_4O, "tokens": {}}).rstrip("\n"))
    assert json.loads(process.communicate(timeout=90)[0])["id"] == "p"


@pytest.mark.parametrize("redirection", ["<&-"])
def test_a_closed_stdin_is_said(infertop, redirection):
    shell = ["sh", "-c", f'exec "$@" {redirection}', "sh"]
    done = subprocess.run(
        [*shell, sys.executable, "-m", "infertop.cli", "cost", "-"],
        env=infertop.environment,
        cwd=infertop.folder,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "infertop: stdin is closed\n")
