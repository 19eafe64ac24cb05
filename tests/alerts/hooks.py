"""A webhook on 127.0.0.1 that answers as a test says and keeps what it was told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Told:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Hook:
    """Answers the n-th request with the n-th status (the last is repeated)."""

    statuses: list[int] = field(default_factory=lambda: [200])
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    told: list[Told] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ids(self) -> list[str]:
        """The message ids in the order in which they came."""
        return [each.headers["idempotency-key"] for each in self.told]

    def status(self) -> int:
        return self.statuses[min(len(self.told), len(self.statuses)) - 1]


@contextmanager
def hooked(*statuses: int, **more: Any) -> Iterator[Hook]:
    """Listen while the block runs."""
    hook = Hook(list(statuses) or [200], **more)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.told.append(Told(self.path, headers, json.loads(body)))
            self.send_response(hook.status())
            for name, value in hook.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(hook.body)))
            self.end_headers()
            self.wfile.write(hook.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
