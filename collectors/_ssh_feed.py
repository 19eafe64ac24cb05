"""The GPUs of another machine as they are read there, by one process that goes on and on: its newest reading here.

infertop's own reader is started where it is installed, else nvidia-smi, whose processes a second one tells. Both end
when the shell that started them has no input any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from collectors import _ssh_smi as smi
from collectors._ssh_reader import Reader
from infertop.engine.collector import State, Unavailable
from infertop.engine.ssh_link import Link
from infertop.engine.ssh_shell import EndedError, Shell
from infertop.readings.model import Series
from infertop.readings.safe import safe

_LEAST_SECONDS, _MOST_SECONDS = 0.5, 10.0
_APPS_SECONDS = 2.0
_MOST_BAD = 10_000

_START = r"""{
LC_ALL=C; export LC_ALL
PATH="$PATH:$HOME/.local/bin:/usr/local/bin:/usr/bin:/bin:/usr/lib/wsl/lib"
"""
# The input's end ends what runs. It is read by a copy, as what runs in the background has none of its own.
_UNTIL_END = r"""
child=$!
( while read -r _; do :; done; kill $child ) <&3 &
wait $child; status=$?
kill $!
exit $status
} 3<&0
"""
_GPUS = (
    _START
    + r"""
if command -v infertop >/dev/null && infertop reader --interval %(seconds)g 2>/dev/null; then exit 0; fi
smi=$(command -v nvidia-smi) || { echo "!none"; exit 0; }
help=$("$smi" --help-query-gpu 2>/dev/null)
fields=
for each in %(fields)s; do
  case $help in
    *"\"${each%%%%/*}\""*) fields="$fields${fields:+,}${each%%%%/*}" ;;
    *"\"${each##*/}\""*) fields="$fields${fields:+,}${each##*/}" ;;
  esac
done
fields=${fields:-index,uuid,name,utilization.gpu,memory.used,memory.total,power.draw}
echo "!fields $fields"
first=$("$smi" --query-gpu="$fields" --format=csv,noheader,nounits 2>&1)
case $first in *Enabled*) "$smi" -L | sed 's/^/!L /' ;; esac
printf '%%s\n!end\n' "$first"
"$smi" --query-gpu="$fields" --format=csv,noheader,nounits -lms %(milliseconds)d 2>&1 &"""
    + _UNTIL_END
)
_APPS = (
    _START
    + r"""
smi=$(command -v nvidia-smi) || exit 0
"$smi" --query-compute-apps=%(fields)s --format=csv,noheader,nounits -lms %(milliseconds)d &"""
    + _UNTIL_END
)

Rows = dict[Series, float]
Take = Callable[[str], None]


class Feed:
    """Follows one machine over a link. `how` says what reads there, once that is known."""

    def __init__(self, link: Link, interval_seconds: float) -> None:
        self._link = link
        self._seconds = min(max(interval_seconds, _LEAST_SECONDS), _MOST_SECONDS)
        self._label = link.target.label
        self._generation = 0
        self._main: asyncio.Task[None] | None = None
        self._side: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._rows: Rows = {}
        self._gpus: smi.Gpus | None = None
        self._apps = smi.Apps(_APPS_SECONDS)
        self._reader: Reader | None = None
        self._listed: list[str] = []
        self._odd = ""
        self.absent = False
        self.rejected = 0
        self.how = ""

    async def fresh(self, seconds: float) -> Rows:
        """Return a reading that was not returned before, waiting for it; raise Unavailable where none comes."""
        await self._follow()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        if self._main is not None and self._main.done() and not self.absent:
            failure = self._main.exception()
            await self.close()  # the next poll starts it again
            raise failure or self._silent(0.0)
        if not self._news.is_set():
            raise self._silent(seconds)
        self._news.clear()
        if self.absent:
            self._news.set()
        if self._reader is not None and self._reader.problem and not self._reader.absent:
            raise Unavailable(f"{self._link.host}: {safe(self._reader.problem, 300)}")
        if not self._rows and not self.note:
            raise self._silent(0.0)
        if self._gpus is None:
            return self._rows
        gpus = frozenset(gpu for each in self._rows if each.metric == "gpu_info" and (gpu := each.label("gpu")))
        return self._rows | self._apps.rows(asyncio.get_running_loop().time(), gpus)

    @property
    def note(self) -> str:
        """Why there is no GPU there, where there is none."""
        if self.absent:
            return f"{self._link.host} has neither nvidia-smi nor infertop in its path: no GPUs are read there"
        absent = self._reader is not None and self._reader.absent
        return f"no GPU on {self._link.host}: {safe(self._reader.problem, 300)}" if self._reader and absent else ""

    async def close(self) -> None:
        """Stop following."""
        tasks = [task for task in (self._main, self._side) if task is not None]
        self._main = self._side = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self) -> None:
        """See that what reads over there is running, over the connection that stands now."""
        if self._generation == self._link.generation and self._main is not None:
            return
        await self.close()
        self._generation = self._link.generation
        self._gpus, self._reader, self._rows, self.absent, self._listed = None, None, {}, False, []
        self._news.clear()
        self._main = asyncio.create_task(self._gpu_lines())

    async def _gpu_lines(self) -> None:
        words = {"fields": " ".join(smi.FIELDS), "seconds": self._seconds, "milliseconds": self._seconds * 1000}
        try:
            await self._lines(_GPUS % words, self._take)
        finally:
            self._news.set()

    async def _app_lines(self) -> None:
        words = {"fields": ",".join(smi.APPS), "milliseconds": _APPS_SECONDS * 1000}
        now = asyncio.get_running_loop().time
        await self._lines(_APPS % words, lambda line: self._apps.take(line, now()))

    async def _lines(self, script: str, take: Take) -> None:
        shell = await self._link.session()
        try:
            await shell.tell(script)
            while True:
                line = await shell.next()
                try:
                    take(line)
                except ValueError:
                    self._bad(line)
        except EndedError:
            if not self.absent:
                raise self._ended(shell) from None
        finally:
            await shell.close()

    def _take(self, line: str) -> None:
        if line.startswith("!"):
            self._told(line)
        elif line.startswith("{") and self._gpus is None:
            self._reader = self._reader or Reader(self._index, self._label)
            self.how = "infertop"
            rows = self._reader.take(line)
            if rows is not None or self._reader.problem:
                self._has(rows or {})
        elif self._gpus is not None and line.strip():
            whole = self._gpus.take(line)
            if whole:
                self._has(smi.rows(whole, self._gpus, self._index, self._label))

    def _told(self, line: str) -> None:
        """Take what the script says of itself."""
        word, _, rest = line.partition(" ")
        if word == "!none":
            self.absent, self.how = True, ""
            self._news.set()
        elif word == "!fields":
            self._gpus, self._reader, self.how = smi.Gpus(tuple(rest.split(","))), None, "nvidia-smi"
            if self._side is None:
                self._side = asyncio.create_task(self._app_lines())
        elif word == "!L":
            self._listed.append(rest)
        elif word == "!end" and self._gpus is not None:
            self._gpus.list(self._listed)
            self._has(smi.rows(self._gpus.end(), self._gpus, self._index, self._label))

    def _has(self, rows: Rows) -> None:
        self._rows = rows
        self._news.set()

    def _bad(self, line: str) -> None:
        self.rejected = min(self.rejected + 1, _MOST_BAD)
        self._odd = line[:300]

    def _index(self, own: str) -> str:
        return f"{self._label}:{own}"

    def _silent(self, seconds: float) -> Unavailable:
        if self._odd and not self._rows:
            return Unavailable(f"{self.how or 'the reader'} on {self._link.host} says: {safe(self._odd.strip(), 200)}")
        what = self.how or "what reads the GPUs"
        return Unavailable(f"{what} on {self._link.host} has said nothing for {seconds:.0f} s", state=State.STALE)

    def _ended(self, shell: Shell) -> Unavailable:
        last = safe((self._odd or (shell.said[-1] if shell.said else "")).strip(), 200)
        if not self._link.up:
            return Unavailable(f"the ssh connection to {self._link.host} was lost", state=State.STALE)
        return Unavailable(
            f"{self.how or 'what reads the GPUs'} on {self._link.host} ended{': ' if last else ''}{last}"
        )
