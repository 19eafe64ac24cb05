"""Build and load the stand-in for NVML, so that GPU code can be run and tested on a machine without a GPU.

In a test, in this process::

    library = build(tmp_path)                       # raises NoCompilerError
    with loaded(library, text_file): ...            # pynvml now answers from text_file, read again on every change

By hand, infertop on a machine that does not exist::

    python -m tests.nvml.standin /tmp/standin
    LD_LIBRARY_PATH=/tmp/standin FAKE_NVML=tests/nvml/machines/h100x2.txt infertop

`LD_LIBRARY_PATH` counts only if it is set before the process starts. Edit the text file while it runs: power, load,
processes and errors follow. To see placement, write the pid of a running process into `gpu.0.procs`.

Keys (`N` is the GPU, `M` the MIG instance; `standin.c` says how values are written):
    init, count, driver, gpu.N.handle
    gpu.N. and mig.N.M.: name, uuid, util, memutil (percent), mem_total, mem_used, mem_reserved (bytes), mem_v2,
        power_mw, limit_mw, energy_mj, field.83, field.186, temp, sm_clock, mem_clock (MHz), reasons (bitmask),
        procs, gprocs, mpsprocs (`pid:MiB[:gi:ci],...`), putil (`pid:percent[:timestamp_us],...`), gpm, gpm.1, gpm.2
    gpu.N.: mig, mig_max        mig.N.M.: gi, ci, slices, gpu_slices, mem_mb
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
MACHINES = HERE / "machines"
NAME = "libnvidia-ml.so.1"


class NoCompilerError(Exception):
    """There is no C compiler on this machine."""


def build(folder: Path) -> Path:
    """Compile the stand-in into `folder` under the name that the NVML bindings look for, and return its path."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompilerError("no C compiler (cc, gcc or clang) to build the stand-in for NVML")
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / NAME
    flags = ["-std=c11", "-Wall", "-Wextra", "-O1", "-shared", "-fPIC", "-pthread", f"-Wl,-soname,{NAME}"]
    subprocess.run([compiler, *flags, "-o", library, HERE / "standin.c"], check=True)
    return library


@contextmanager
def loaded(library: Path, file: Path) -> Iterator[None]:
    """Let pynvml in this process use the library at `library`, answering from `file`, until the block ends."""
    import pynvml

    before = pynvml.nvmlLib
    pynvml.nvmlLib = ctypes.CDLL(str(library))
    pynvml.nvmlLib.standin_file(str(file).encode())
    pynvml._nvmlGetFunctionPointer_cache.clear()
    try:
        yield
    finally:
        pynvml.nvmlLib = before
        pynvml._nvmlGetFunctionPointer_cache.clear()


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
