"""What `infertop check` says of a source stays one line that somebody can read."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import closing
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infertop import cli
from infertop.engine.clock import SystemClock
from infertop.history.files import default_path
from infertop.readings.model import Batch
from tests.history.stating import say
from tests.history.world import recorded

PAGE = "".join(f'vllm:generation_tokens_total{{model_name="m{n:02}"}} {n}\n' for n in range(30)).encode()


class Many(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_source_with_many_models_names_some_and_counts_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Many) as server:
        threading.Thread(target=server.serve_forever).start()
        file = tmp_path / "pricing.toml"
        file.write_text("")
        source = f"relay=vllm=http://127.0.0.1:{server.server_port}"
        cli.main(["check", "--no-discovery", "--pricing", str(file), "--source", source])
        server.shutdown()
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("source         relay"))
    assert ": read in" in line
    assert "up  m00, m01, m02, m03, m04, m05, m06, m07 and 22 more: " in line


class Router(BaseHTTPRequestHandler):
    """An OpenRouter that was used by nobody; it notes since when it was asked."""

    asked: list[float]

    def do_GET(self) -> None:
        meta = {name: [{"name": "model"}, {"name": "request_count"}] for name in ("metrics", "dimensions")}
        self._answer(meta if self.path.endswith("meta") else [])

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(datetime.fromisoformat(said["time_range"]["start"]).timestamp())
        self._answer({"data": [], "metadata": {"truncated": False}})

    def _answer(self, data: object) -> None:
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_what_the_database_has_is_not_read_back_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-canary")
    monkeypatch.setattr(Router, "asked", [], raising=False)
    now = SystemClock().now()
    begin, until = now // 86_400 * 86_400 - 40 * 86_400, now // 3600 * 3600 - 2 * 3600
    with ThreadingHTTPServer(("127.0.0.1", 0), Router) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        file, database = tmp_path / "pricing.toml", tmp_path / "infertop.db"
        file.write_text(f'[[source]]\nkind = "openrouter"\nname = "router"\nurl = "{url}"\nkey_env = "A_KEY"\n')
        mark = f"hours|{hashlib.sha256(url.encode()).hexdigest()[:12]}|usage"
        told = (say(begin, 3600, {"input": 5}, source="router"),)
        known = {mark: f"{begin:.0f} {until:.0f}"}
        recorded(database, now, Batch("router", now, (), (), statements=told, bookmarks=known))
        cli.main(["check", "--no-discovery", "--pricing", str(file), "--db", str(database)])
        server.shutdown()
    assert min(Router.asked) >= until - 73 * 3600
    assert "read back to" in (said := capsys.readouterr().out)
    assert "40 days" in said or "41 days" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no database" * 1000, "is damaged"), (None, "is not a history of infertop")],
    ids=["damaged", "another program's"],
)
def test_a_history_that_cannot_be_read_is_named_and_all_else_is_checked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    said: str,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    file, database = tmp_path / "pricing.toml", default_path()
    file.touch()
    database.parent.mkdir(parents=True)
    if content is None:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("CREATE TABLE theirs (x)")
    else:
        database.write_bytes(content)
    before = database.read_bytes()
    assert cli.main(["check", "--no-discovery", "--pricing", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("database"))
    assert lines[at + 1].startswith("               ! ")
    assert said in lines[at + 1]
    assert any(line.startswith("source         host  up") for line in lines[at:])
    assert database.read_bytes() == before
