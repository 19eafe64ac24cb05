"""A stand-in for nvidia-smi in a shell script: the CSV forms of two GPUs, driven by files beside it.

`gpus` has a line of values for each GPU, in the order of FIELDS; `apps` those of --query-compute-apps.
"""

from __future__ import annotations

from pathlib import Path

FIELDS = (
    *("index", "uuid", "name", "utilization.gpu", "utilization.memory", "memory.used", "memory.total", "power.draw"),
    *(
        "power.limit",
        "temperature.gpu",
        "clocks.sm",
        "clocks.mem",
        "clocks_throttle_reasons.active",
        "mig.mode.current",
    ),
)
GPUS = (
    "0, GPU-0a, NVIDIA H100 80GB HBM3, 83, 41, 72000, 81559, 512.31, 700.00, 61, 1980, 2619, 0x0004, Disabled",
    "1, GPU-0b, NVIDIA H100 80GB HBM3, 0, 0, 4, 81559, [N/A], 700.00, 33, 345, 2619, 0x0001, Disabled",
)


def script(folder: Path, gpus: tuple[str, ...] = GPUS, apps: tuple[str, ...] = ()) -> str:
    """Return the program; it reads what it says from `folder` each time."""
    (folder / "gpus").write_text("".join(f"{line}\n" for line in gpus))
    tell(folder, apps)
    known = "".join(f'"{field}"\\n' for field in FIELDS)
    return f"""#!/bin/sh
case "$*" in
  *--help-query-gpu*) printf '{known}'; exit ;;
  -L) cat {folder}/list; exit ;;
  *--query-gpu={",".join(FIELDS)}\\ *) file=gpus ;;
  *--query-compute-apps=gpu_uuid,pid,used_memory\\ *) file=apps ;;
  *--query-compute-apps=pid\\ *) cut -d, -f2 {folder}/apps; exit ;;
  *) echo "Field is not a valid field to query."; exit 2 ;;
esac
case "$*" in *--format=csv,noheader,nounits*) ;; *) exit 2 ;; esac
cat {folder}/$file || exit 9
while case "$*" in *-lms*) ;; *) false ;; esac; do sleep 0.05; cat {folder}/$file || exit 9; done
"""


def tell(folder: Path, apps: tuple[str, ...]) -> None:
    """Let these be the processes on the GPUs."""
    (folder / "apps").write_text("".join(f"{line}\n" for line in apps))
