"""What labels of a Prometheus say: which of them tell targets apart, and which were on the target's own page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from collectors._prometheus_exact import NAME

Labels = dict[str, str]

# What scrapers, relays and storages put on every series of a target. Some engine may have a label of the same name: it
# is the target's where all of its series have it.
_PLACES = (
    *("job", "instance", "cluster", "cluster_name", "k8s_cluster", "k8s_cluster_name", "project_id", "location"),
    *("region", "zone", "datacenter", "dc", "environment", "env", "tenant", "tenant_id", "__tenant_id__", "prometheus"),
    *("namespace", "kubernetes_namespace", "pod", "kubernetes_pod_name", "pod_name", "container", "node", "host"),
    *("kubernetes_node", "endpoint", "service", "metrics_path", "vm_account_id", "vm_project_id"),
    *("top_level_controller_name", "top_level_controller_type", "receive"),
)
REPLICAS = ("prometheus_replica", "__replica__", "receive_replica", "replica")
"""Who wrote the series, where two scrape the same targets and the storage keeps both."""
WORKLOAD = frozenset({"namespace", "pod", "container"})
"""On a page of DCGM exporter: what a GPU was given to, unless the scraper wrote its own over it."""
_EXPORTED = "exported_"
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_MOST_LABELS = 64
_MODEL = ("model_name", "model", "served_model_name", "job")
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0)(?=:|$)")


def parsed(text: bytes, *, nameless: bool = False) -> Labels | None:
    """Return the labels of a series, None where they are no such thing; one without a name only if it may be so."""
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(labels, dict) or not all(isinstance(each, str) for each in labels.values()):
        return None
    if NAME in labels:
        labels["__name__"] = labels.pop(NAME)
    return labels if (nameless or labels.get("__name__")) and len(labels) <= _MOST_LABELS else None


def places(series: Sequence[Labels], *, gpus: bool) -> tuple[str, ...]:
    """Return which labels tell the targets among `series` of one job and instance apart; `gpus`: of DCGM exporter."""
    shared = set.intersection(*(set(each) for each in series))
    named = tuple(name for name in _PLACES if name in shared)
    if not gpus:
        return named
    # Where the scraper leaves the page's labels alone they are the workload's, else the exporter's own.
    renamed = any(_EXPORTED + name in each for each in series for name in WORKLOAD)
    own = renamed or all("dcgm" in each.get("pod", "") for each in series)
    return named if own else tuple(name for name in named if name not in WORKLOAD)


def line_start(labels: Mapping[str, str], without: Iterable[str]) -> bytes:
    """Return how the series' line begins on its page, up to the value."""
    own = {name: value for name, value in labels.items() if name not in without and name != "__name__"}
    for name in list(own):
        # The page's own label, which had to give way to the target's.
        if name.startswith(_EXPORTED) and (bare := name.removeprefix(_EXPORTED)) in without:
            own[bare] = own.pop(name)
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(own.items()) if _LABEL.fullmatch(name))
    return f"{labels['__name__']}{{{said}}} ".encode("utf-8", "replace")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def address(place: Mapping[str, str], prometheus_host: str) -> str:
    """Return where a target is, HOST:PORT as far as it is told; a loopback address is that of the Prometheus."""
    told = place.get("instance") or place.get("pod") or place.get("job") or "target"
    text = told.rpartition("://")[2].partition("/")[0].lower() if "://" in told else told
    here = "127.0.0.1" if _LOOPBACK.match(prometheus_host) else prometheus_host
    return _LOOPBACK.sub(lambda _found: here, text, count=1)[:200]


def url_of(where: str) -> str:
    """Return the URL of an address, empty where it is no host with a port."""
    try:
        parts = urlsplit(f"http://{where}")
        good = bool(parts.hostname) and bool(parts.port)
    except ValueError:
        return ""
    return f"http://{where}" if good and re.fullmatch(r"[\w.\-\[\]:]+", where, re.ASCII) else ""


def model_of(labels: Mapping[str, str]) -> str:
    """Return under which name an engine is shown whose page names no model: what the scraper says, else its job."""
    return next((labels[name] for name in _MODEL if labels.get(name)), "")
