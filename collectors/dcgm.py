"""NVIDIA's DCGM exporter: the GPUs of another machine, in the words of NVML.

Wire format: etc/default-counters.csv and internal/pkg/rendermetrics of NVIDIA/dcgm-exporter. What decides the table:

- A GPU is its UUID; without one it is its host and number, so that no two hosts' GPUs are ever one.
- The same reading stands there once for each pod that a shared GPU was given to: it is taken once.
- Rows with GPU_I_ID are of a MIG instance. What only a whole GPU measures (power, energy, clocks) stands there too and
  is the GPU's, not the instance's; its slices are in its profile. GPU_UTIL is missing there: GR_ENGINE_ACTIVE is not.
- Memory is in MiB, energy in mJ, a field without a value is one of DCGM's blank numbers.
- It reads the GPUs itself every 30 s (-c). Asked more often it repeats itself: an energy counter that stood still
  between two polls is not used, as its next step would be the energy of a longer time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors._dcgm_page import FIELDS, Gpus
from collectors._page import check_whole, complaint, metrics_url, needed, shown
from collectors.kind import Kind, Server
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.exposition import Exposition
from infertop.readings.model import Batch, Series, Value

if TYPE_CHECKING:
    from infertop.engine.http import Http

_ENERGY = "gpu_energy_joules"
_REFRESH_SECONDS = 30.0

Rows = tuple[tuple[Series, ...], tuple[Value, ...]]


class Dcgm:
    """Reads one exporter; what it says of GPUs is stamped with the time of the poll."""

    kind = "dcgm"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url)
        self._exposition = Exposition(FIELDS)
        self._gpus: Gpus | None = None
        self._before: dict[Series, float] = {}
        self._energy_moves = True
        self._series: tuple[Series, ...] = ()

    async def collect(self, ts: float) -> Batch:
        """Read the page once."""
        reply = await self._http.get(self._url)
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it tells of no GPU."""
        where = shown(self._url)
        check_whole(where, body)
        page = self._exposition.parse(body)
        if self._gpus is None or self._gpus.layout is not page.layout:
            self._gpus = Gpus(page.layout)
        rows = self._gpus.read(page.values)
        if not rows:
            raise Unavailable(f"{where} tells of no GPU: is it DCGM exporter, and are there GPUs on its machine?")
        series, values = self._with_true_energy(rows)
        notes = (complaint(where, page.rejected, page.first_rejected),) if page.rejected else ()
        return Batch(self.config.name, ts, series, values, notes=notes, rejected=page.rejected)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    def _with_true_energy(self, rows: dict[Series, float]) -> Rows:
        """Return the rows, without energy from when it was first found to be older than a poll."""
        energy = {each: value for each, value in rows.items() if each.metric == _ENERGY}
        if any(self._before.get(each) == value for each, value in energy.items()):
            self._energy_moves = False
        self._before = dict(energy)
        kept = rows if self._energy_moves else {each: rows[each] for each in rows if each.metric != _ENERGY}
        if tuple(kept) != self._series:
            self._series = tuple(kept)
        return self._series, tuple(kept.values())


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE DCGM_FI_" in body


KIND = Kind(
    name="dcgm",
    help="NVIDIA GPUs of another machine, by its DCGM exporter",
    make=lambda config, http, _clock: Dcgm(config, needed(config, http)),
    least_seconds=_REFRESH_SECONDS,
    server=Server(
        kind="dcgm",
        command=re.compile(r"(?:^|[/\s])dcgm-exporter(?:\s|$)"),
        confirm=_confirm,
        default_ports=(9400,),
        port_options=(),
    ),
)
