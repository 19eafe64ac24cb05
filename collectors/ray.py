"""Ray Serve LLM: the page of a node's metrics agent, where every replica on the node has its engine's series.

Wire format: vllm/v1/metrics/ray_wrappers.py and Ray's metrics agent. Names are the engine's with `ray_` before and `_`
for `:`, so that vLLM's and SGLang's tables read them, both at once as a node may run both. ReplicaId and WorkerId tell
replicas apart. Ray shows each counter once more without `_total`, as a gauge: that is not read. The agent's port is in
the command of the node's raylet, which starts the agent as well as the replicas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from collectors import sglang, vllm
from collectors._labelled import Labelled
from collectors.kind import Kind, Server

TABLE = replace(
    vllm.TABLE,
    rank_labels=("engine", "dp_rank", "ReplicaId", "WorkerId"),
    lead_labels=sglang.TABLE.lead_labels,
    rules=vllm.TABLE.rules + sglang.TABLE.rules,
)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE ray_" in body


ENGINE = Labelled(TABLE, b"ray_", "Ray", "start Ray with --metrics-export-port", vllm.in_tokens)

KIND = Kind(
    name="ray",
    help="Ray Serve LLM, by the metrics agent of a node (ray start --metrics-export-port)",
    make=ENGINE.make,
    says=TABLE.metrics(),
    server=Server(
        kind="ray",
        command=re.compile(r"/raylet/raylet(?:\s|$)"),
        confirm=_confirm,
        default_ports=(8080,),
        port_options=("--metrics_export_port", "--metrics-export-port"),
    ),
)
