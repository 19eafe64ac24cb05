"""KServe's Hugging Face server: vLLM's series as they are or with `kserve_` before, beside KServe's own.

Wire format: python/kserve/kserve/metrics.py. KServe times the steps of every request in histograms by model; a server
without vLLM behind it (the Transformers backend, classic models) has requests and their time from those, no tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from collectors import vllm
from collectors._labelled import Labelled
from collectors.kind import Kind, Server
from infertop.readings.mapping import Rule

_OWN = (
    Rule("requests", ("request_predict_seconds_count",)),
    Rule("request_seconds", ("request_predict_seconds",)),
)
TABLE = replace(vllm.TABLE, rules=vllm.TABLE.rules + _OWN)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and (b"# TYPE request_predict_seconds " in body or b"# TYPE kserve_vllm" in body)


ENGINE = Labelled(
    TABLE, b"request_predict_seconds", "KServe", "it serves them at /metrics of its HTTP port", vllm.in_tokens
)

KIND = Kind(
    name="kserve",
    help="KServe's model server, by the metrics of its vLLM or, without one, its own",
    make=ENGINE.make,
    says=TABLE.metrics(),
    server=Server(
        kind="kserve",
        command=re.compile(r"-m (?:huggingface|sklearn|xgb|lgb|paddle|pmml|predictive)server(?:\s|$)"),
        confirm=_confirm,
        default_ports=(8080,),
        port_options=("--http_port",),
        model_options=("--model_name",),
    ),
)
