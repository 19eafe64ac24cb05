"""What `infertop check` says of a source stays one line that somebody can read."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infertop import cli

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
