"""How the list of processes on a GPU is to be read."""

from __future__ import annotations

from infertop.readings.safe import safe
from infertop.views.shapes import GpuRow, ProcessRow
from infertop.views.wording import number

_GIB = 2**30
_MOST = 20


def process_lines(row: GpuRow) -> tuple[str, ...]:
    """Return the processes on a GPU, one a line, with who tells of them."""
    if not row.processes:
        return (f"{row.meter} tells of none",)
    more = len(row.processes) - _MOST
    return (
        f"by {row.meter}, those with most memory first; SM is the share of the SM time since the last poll",
        *(f"  {_line(each)}" for each in row.processes[:_MOST]),
        *((f"  and {more} more",) if more > 0 else ()),
    )


def _line(each: ProcessRow) -> str:
    """Return a process in words: `4242  root  vllm  68.359 GiB  SM 0.8`, as far as it is known."""
    memory = "memory not told" if each.memory_bytes is None else f"{number(each.memory_bytes / _GIB, 3)} GiB"
    load = "" if each.utilization is None else f"SM {number(each.utilization)}"
    return "  ".join(filter(None, (str(each.pid), safe(each.user, 20), safe(each.name, 60), memory, load)))
