"""Batches of GPUs with processes, and who holds them by the collector's word."""

from collectors import KINDS
from infertop.engine.placement import Holder
from infertop.readings.model import Batch, Series
from infertop.readings.registry import METRICS

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
GIB = float(2**30)
TINY = Holder("tiny", "vllm", "http://127.0.0.1:8001")
LARGE = Holder("large", "vllm", "http://localhost:8002")


def nvml_batch(gpus, ts=100.0):
    """Make a batch of {uuid: (used bytes, {pid: (memory, utilisation)})}, None where a reading is missing."""
    rows = []
    for index, (uuid, (used, processes)) in enumerate(gpus.items()):
        rows.append((Series.of("gpu_info", gpu=uuid, name="GPU", index=str(index)), 1.0))
        if used is not None:
            rows.append((Series.of("gpu_memory_used_bytes", gpu=uuid), used))
        for pid, (memory, utilization) in processes.items():
            rows.append((Series.of("gpu_process_info", gpu=uuid, pid=str(pid)), 1.0))
            if memory is not None:
                rows.append((Series.of("gpu_process_memory_bytes", gpu=uuid, pid=str(pid)), memory))
            if utilization is not None:
                rows.append((Series.of("gpu_process_utilization", gpu=uuid, pid=str(pid)), utilization))
    return Batch("nvml", ts, tuple(row[0] for row in rows), tuple(row[1] for row in rows))


def placed(batch):
    """Return {(gpu, holder): (processes, memory, utilisation)}."""
    found = {}
    for series, value in zip(batch.series, batch.values, strict=True):
        if series.metric.startswith("placement_"):
            assert {label for label, _ in series.labels} == set(METRICS[series.metric].labels)
            place = found.setdefault((series.label("gpu"), series.label("holder")), {})
            place[series.metric.removeprefix("placement_")] = value
    return {key: (each["processes"], each.get("memory_bytes"), each.get("utilization")) for key, each in found.items()}
