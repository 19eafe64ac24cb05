"""A server that says what a recorded one said: each GET is answered with the next page of the recording.

Where the recorded server did not answer, for it was being restarted, nobody listens on the port for a moment. `served`
is what was really sent, so that a test can work out by itself what there was to be counted.
"""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.recordings import pages

DOWN_SECONDS = 0.4
MOST_SECONDS = 90.0
# Below the root, where whoever looks for engines on this machine meanwhile would take a page away.
BASE = "/engine"
Pages = Sequence[str | None]


def recording(path: str, stride: int = 1) -> list[str | None]:
    """Return the pages of a recording: each `stride`-th, all around a restart, and one None for all of its gap."""
    said = [text if status == 200 else None for _, status, text in pages(path)]
    edges = {i for i, text in enumerate(said) if text is None for i in (i - 1, i + 1)} | {0, len(said) - 1}
    chosen = [text for i, text in enumerate(said) if i % stride == 0 or text is None or i in edges]
    return [text for i, text in enumerate(chosen) if text is not None or chosen[i - 1] is not None]


class Replay:
    """The recording and how far it has been served; after the last page, that one is repeated.

    `others` are further paths with their bodies, `headers` go with every answer. `restarted` is set when the port is
    open again after a gap, `ended` when the last page was sent.
    """

    def __init__(
        self, said: Pages, others: Mapping[str, bytes] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.served: list[str] = []
        self.others = dict(others or {})
        self.headers = dict(headers or {})
        self.ended = threading.Event()
        self.restarted = threading.Event()
        self._said = list(said)
        self._next = 0
        self._held = False
        self._moved = threading.Condition()
        self._stop, self._down = threading.Event(), threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}"

    def start(self) -> None:
        self._listen()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def hold(self) -> None:
        """Repeat the newest page from now on."""
        with self._moved:
            self._held = True

    def go_on(self) -> None:
        with self._moved:
            self._held = False

    def wait_until_served(self, count: int, process: subprocess.Popen[str]) -> None:
        """Wait until `count` pages were sent to infertop, which is `process`."""
        self._wait(lambda: len(self.served) >= count, process)

    def wait_until_ended(self, process: subprocess.Popen[str]) -> None:
        """Wait until the last page was sent."""
        self._wait(self.ended.is_set, process)

    def _wait(self, condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + MOST_SECONDS
        with self._moved:
            while not self._moved.wait_for(condition, 0.1):
                if process.poll() is not None:
                    raise AssertionError(f"infertop ended with status {process.returncode}: {process.communicate()}")
                if time.monotonic() > end:
                    raise AssertionError(f"only {len(self.served)} pages were asked for within {MOST_SECONDS:g} s")

    def page(self) -> str | None:
        """Return the page to send now, None where the recorded server was down."""
        with self._moved:
            if self._held and self._next:
                return self._said[self._next - 1]
            page = self._said[self._next]
            if page is not None and self._next < len(self._said) - 1:
                self._next += 1
            return page

    def sent(self, page: str) -> None:
        with self._moved:
            self.served.append(page)
            if page is self._said[-1]:
                self.ended.set()
            if self._said[self._next] is None:
                self._down.set()
            self._moved.notify_all()

    def _listen(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        self._server.timeout = 0.02
        self.port = self._server.server_address[1]

    def _run(self) -> None:
        """Serve; where the recording has a gap, close the port for a moment and listen again."""
        while not self._stop.is_set():
            assert self._server is not None
            while not (self._stop.is_set() or self._down.is_set()):
                self._server.handle_request()
            self._server.server_close()
            if not self._stop.wait(DOWN_SECONDS):
                with self._moved:
                    self._next += 1
                    self._down.clear()
                self._listen()
                self.restarted.set()


def _handler(replay: Replay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = replay.others.get(self.path.removeprefix(BASE))
            if body is None and self.path != f"{BASE}/metrics":
                self.send_error(404)
                return
            page = None if body is not None else replay.page()
            if body is None and page is None:
                self.close_connection = True  # asked in the moment before the port closes
                return
            content = body if body is not None else page.encode()
            self.send_response(200)
            for name, value in {"Content-Type": "text/plain", **replay.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            if page is not None and self.was_read():
                replay.sent(page)

        def was_read(self) -> bool:
            """Wait until the client has taken all of it and hung up."""
            self.connection.settimeout(10.0)
            try:
                self.connection.shutdown(socket.SHUT_WR)
                return self.connection.recv(1) == b""
            except OSError:
                return False

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def replaying(said: Pages, **more: Mapping[str, object]) -> Iterator[Replay]:
    """Serve the pages while the block runs."""
    replay = Replay(said, **more)
    replay.start()
    try:
        yield replay
    finally:
        replay.stop()


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until `condition()` is true: for what another process does, of which no event comes here."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {condition}")
        time.sleep(0.02)
