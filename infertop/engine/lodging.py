"""Which engine of a fleet holds which GPU, as far as its scraper's labels tell: by pod, else by machine.

Kubernetes says on DCGM exporter's page to which pod a GPU was given, and on an engine's series in which pod it runs.
Without that an engine that is alone on a machine holds those of its GPUs on which memory is in use. Of several on one
machine nothing is told, and nothing is guessed: there `gpus` in a [[source]] says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from infertop.readings.model import Batch, Member

_CLUSTERS = ("cluster", "cluster_name", "k8s_cluster", "k8s_cluster_name", "project_id", "location")
_NODES = ("node", "kubernetes_node", "host")
_PODS = ("pod", "kubernetes_pod_name", "pod_name")
_NAMESPACES = ("namespace", "kubernetes_namespace")
_IN_USE_BYTES = 2.0**30


@dataclass(frozen=True, slots=True)
class _Gpu:
    """A GPU or MIG instance: where it is, and what it was given to."""

    uuid: str
    clusters: Mapping[str, str]
    hosts: frozenset[str]
    namespaces: frozenset[str]
    pods: frozenset[str]
    in_use: bool


class Lodging:
    """What the newest batches of a fleet's GPU meters tell of where GPUs are."""

    def __init__(self) -> None:
        self._gpus: dict[str, tuple[_Gpu, ...]] = {}
        self._engines: dict[str, Member] = {}

    def take_gpus(self, member: Member, batch: Batch) -> None:
        """Take the newest batch of a GPU meter."""
        used = {
            each.label("gpu"): value
            for each, value in zip(batch.series, batch.values, strict=True)
            if each.metric == "gpu_memory_used_bytes"
        }
        infos = [dict(each.labels) for each in batch.series if each.metric == "gpu_info"]
        cut = {info.get("parent") for info in infos}
        self._gpus[member.name] = tuple(
            _Gpu(
                info["gpu"],
                {name: member.labels[name] for name in _CLUSTERS if name in member.labels},
                _hosts(member) | ({info["host"]} if info.get("host") else set()),
                frozenset(info.get("namespace", "").split(",")) - {""},
                frozenset(info.get("pod", "").split(",")) - {""},
                _is_in_use(used.get(info["gpu"])),
            )
            for info in infos
            if info["gpu"] not in cut
        )

    def take_engine(self, member: Member) -> None:
        """Take an engine."""
        self._engines[member.name] = member

    @property
    def engines(self) -> Iterable[str]:
        """The engines that were taken."""
        return self._engines

    def gpus(self) -> dict[str, tuple[str, ...]]:
        """Return the UUIDs of the GPUs of each engine for which they are told."""
        every = [gpu for gpus in self._gpus.values() for gpu in gpus]
        told = {name: _of_pod(member, every) for name, member in self._engines.items()}
        alone: dict[str, list[str]] = {}
        for name, member in self._engines.items():
            if member.counts is not False:
                for host in _hosts(member):
                    alone.setdefault(host, []).append(name)
        for gpu in every:
            here = {name for host in gpu.hosts for name in alone.get(host, ()) if _same(self._engines[name], gpu)}
            if len(here) == 1 and not gpu.pods and gpu.in_use and not told[name := here.pop()][1]:
                told[name][0].append(gpu.uuid)
        return {name: tuple(sorted(gpus)) for name, (gpus, _) in told.items() if gpus}


def _of_pod(member: Member, every: list[_Gpu]) -> tuple[list[str], bool]:
    """Return the GPUs that were given to an engine's pod, and whether its pod was given any."""
    pod = next((member.labels[name] for name in _PODS if member.labels.get(name)), "")
    namespace = next((member.labels[name] for name in _NAMESPACES if member.labels.get(name)), "")
    found = [
        gpu.uuid
        for gpu in every
        if pod in gpu.pods
        and _same(member, gpu)
        and (not namespace or not gpu.namespaces or namespace in gpu.namespaces)
    ]
    return found, bool(found)


def _same(member: Member, gpu: _Gpu) -> bool:
    """Say whether nothing tells that the two are in different clusters."""
    return all(member.labels.get(name, value) == value for name, value in gpu.clusters.items())


def _hosts(member: Member) -> frozenset[str]:
    named = {member.labels[name] for name in _NODES if member.labels.get(name)}
    host = urlsplit(member.url).hostname if member.url else None
    return frozenset(named | ({host} if host else set()))


def _is_in_use(used: object) -> bool:
    return isinstance(used, float) and used >= _IN_USE_BYTES
