"""Docker's socket, where this user may read it: which containers run, and where their ports are. GET alone.

One small request for each look: the list of containers in turn with the first process of one of them, the one that was
asked for longest ago. It is optional: what is missing without it are published ports that no process forwards, and
containers whose processes cannot be seen.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from infertop.engine.collector import Unavailable
from infertop.engine.containers import Container, parse_list, parse_pid
from infertop.engine.found import Searched
from infertop.engine.http import Http
from infertop.engine.tls import load_libraries
from infertop.readings.safe import safe

_SECONDS = 1.0
_MOST_BYTES = 4 * 2**20
_ORIGIN = "http://localhost"
_USUAL = "/var/run/docker.sock"


def socket_path(environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """Return the socket to ask, and what to say where none is asked."""
    said = environ.get("DOCKER_HOST", "").strip()
    if said:
        if said.startswith("unix://"):
            return Path(said.removeprefix("unix://")), ""
        return None, "DOCKER_HOST names no socket of this machine, and only those are asked"
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    own = (Path(runtime, "docker.sock"), Path(runtime, "podman/podman.sock")) if runtime else ()
    for path in (Path(_USUAL), *own, Path("/run/podman/podman.sock")):
        if _is_socket(path):
            return path, ""
    return None, f"no socket at {_USUAL}: nothing to ask"


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


class Docker:
    """Asks the socket, once a look. `wanted` says of which containers the first process is worth asking for."""

    def __init__(self, environ: Mapping[str, str], wanted: Callable[[Container], bool]) -> None:
        self._path, self._problem = socket_path(environ)
        self._wanted = wanted
        self._listed: tuple[Container, ...] = ()
        self._pids: dict[str, int | None] = {}
        self._asked: list[str] = []
        self._list_next = True

    async def look(self) -> tuple[Container, ...]:
        """Ask once, and return what is known by now; nothing where the socket cannot be read."""
        if self._path is None:
            return ()
        if not os.access(self._path, os.R_OK | os.W_OK):
            there = _is_socket(self._path)
            self._problem = _NOT_ALLOWED if there else "there is no such socket: is Docker running?"
            self._listed = ()
            return ()
        try:
            await load_libraries(tls=False)
            http = self._client(self._path)
            try:
                await self._ask(http)
            finally:
                await http.close()
            self._problem = ""
        except Unavailable as failure:
            self._problem = failure.sentence.replace("localhost", "it")
            self._listed = ()
        except ValueError:
            self._problem = "what answers there is not Docker"
            self._listed = ()
        return tuple(replace(each, pid=self._pids.get(each.id)) for each in self._listed)

    @property
    def searched(self) -> Searched:
        """Say what was looked at and what is in the way."""
        where = safe(self._path, 200) if self._path else "Docker's socket"
        count = len(self._listed)
        detail = self._problem or f"{count} container{'s' * (count != 1)}"
        return Searched("containers", where, not self._problem, detail)

    def _client(self, path: Path) -> Http:
        import httpx

        transport = httpx.AsyncHTTPTransport(uds=str(path), trust_env=False)
        return Http(_ORIGIN, timeout_seconds=_SECONDS, max_bytes=_MOST_BYTES, transport=transport)

    async def _ask(self, http: Http) -> None:
        if self._list_next or not self._asked:
            self._listed = parse_list((await http.get("/containers/json")).body)
            wanted = [each.id for each in self._listed if self._wanted(each)]
            self._asked = [
                *(each for each in wanted if each not in self._asked),
                *(e for e in self._asked if e in wanted),
            ]
            self._pids = {each: pid for each, pid in self._pids.items() if each in wanted}
            self._list_next = False
            return
        self._list_next = True
        container = self._asked.pop(0)
        self._asked.append(container)
        reply = await http.get(f"/containers/{container}/json", accept_status=(404,))
        self._pids[container] = parse_pid(reply.body) if reply.status == 200 else None


_NOT_ALLOWED = (
    "it may not be read by this user: containers are found by their processes and forwarded ports alone; to have it "
    "read, run infertop in the group docker (which is as good as root)"
)
