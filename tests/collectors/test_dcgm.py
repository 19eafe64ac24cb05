"""DCGM exporter's page: GPUs of another machine in NVML's words, MIG instances, blanks, pods, readings told twice."""

import httpx
import pytest

from infertop.engine.collector import Unavailable
from infertop.readings.model import Series
from tests.collectors.reading import payload, source

PAGE = payload("dcgm/synthetic.txt")
H100 = "GPU-11111111-2222-3333-4444-555555555555"
A100 = "GPU-99999999-0000-1111-2222-333333333333"
MIB = 2**20


def read(page: bytes, ts: float = 1.0) -> dict[Series, float]:
    batch = source("dcgm").parse(page, ts)
    return dict(zip(batch.series, batch.values, strict=True))


def of(gpu: str, rows: dict[Series, float]) -> dict[str, float]:
    return {each.metric: value for each, value in rows.items() if each.label("gpu") == gpu}


def infos(rows: dict[Series, float]) -> dict[str, dict[str, str]]:
    return {each.label("gpu"): dict(each.labels) for each in rows if each.metric == "gpu_info"}


def line(field: str, value: object, **labels: str) -> str:
    labels = {"gpu": "0", "UUID": "GPU-a", "modelName": "NVIDIA H100 80GB HBM3", "Hostname": "node1"} | labels
    pairs = ",".join(f'{key}="{text}"' for key, text in labels.items() if text)
    return f"{field}{{{pairs}}} {value}\n"


def page(*lines: str) -> bytes:
    return "".join(lines).encode()


def test_a_whole_gpu_says_what_nvml_would_say() -> None:
    rows = read(PAGE)
    assert of(H100, rows) == pytest.approx(
        {
            "gpu_info": 1.0,
            "gpu_utilization": 0.87,
            "gpu_memory_utilization": 0.41,
            "gpu_power_watts": 512.345,
            "gpu_energy_joules": 123_456_789.012,
            "gpu_memory_used_bytes": 72_479 * MIB,
            "gpu_memory_total_bytes": 80_479 * MIB,
            "gpu_temperature_celsius": 61,
        }
    )
    assert infos(rows)[H100] == {"gpu": H100, "name": "NVIDIA H100 80GB HBM3", "index": "node1:0", "host": "node1"}


def test_every_other_field_has_its_unit() -> None:
    rows = read(
        page(
            line("DCGM_FI_DEV_SM_CLOCK", 1980),
            line("DCGM_FI_DEV_MEM_CLOCK", 2619),
            line("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", 700),
            line("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", 4),
            line("DCGM_FI_PROF_SM_ACTIVE", 0.5),
            line("DCGM_FI_DEV_FB_USED", 10),
            line("DCGM_FI_DEV_FB_FREE", 20),
            line("DCGM_FI_DEV_FB_RESERVED", 5),
        )
    )
    assert of("GPU-a", rows) == {
        "gpu_info": 1.0,
        "gpu_sm_clock_hertz": 1.98e9,
        "gpu_memory_clock_hertz": 2.619e9,
        "gpu_power_limit_watts": 700,
        "gpu_throttle_reasons": 4,
        "gpu_sm_occupancy": 0.5,
        "gpu_memory_used_bytes": 10 * MIB,
        "gpu_memory_total_bytes": 35 * MIB,
    }


def test_a_mig_instance_is_a_part_of_its_gpu_and_takes_its_load_from_the_engine_that_was_active() -> None:
    rows = read(PAGE)
    assert of(f"{A100}/2", rows) == {"gpu_info": 1.0, "gpu_utilization": 0.42, "gpu_slices": 3}
    assert infos(rows)[f"{A100}/2"] == {
        "gpu": f"{A100}/2",
        "name": "NVIDIA A100-SXM4-40GB MIG 3g.20gb",
        "index": "node1:1:2",
        "host": "node1",
        "parent": A100,
        "mig_profile": "3g.20gb",
    }
    assert of(A100, rows) == {"gpu_info": 1.0, "gpu_slices": 4}


def test_what_only_the_whole_gpu_measures_is_counted_once_however_many_instances_repeat_it() -> None:
    cut = [{"GPU_I_ID": "1", "GPU_I_PROFILE": "1g.10gb"}, {"GPU_I_ID": "2", "GPU_I_PROFILE": "2g.20gb"}]
    rows = read(
        page(
            *(line("DCGM_FI_DEV_POWER_USAGE", 300, **each) for each in cut),
            *(line("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 5000, **each) for each in cut),
            *(line("DCGM_FI_DEV_FB_USED", 100, **each) for each in cut),
            line("DCGM_FI_DEV_FB_USED", 250),
        )
    )
    assert {each.label("gpu") for each in rows if each.metric == "gpu_power_watts"} == {"GPU-a"}
    assert of("GPU-a", rows) == {
        "gpu_info": 1,
        "gpu_power_watts": 300,
        "gpu_energy_joules": 5,
        "gpu_memory_used_bytes": 50 * MIB,  # what no instance has
        "gpu_slices": 4,
    }
    assert sum(value for each, value in rows.items() if each.metric == "gpu_memory_used_bytes") == 250 * MIB


def test_an_a30_is_cut_into_four() -> None:
    rows = read(page(line("DCGM_FI_DEV_FB_USED", 1, modelName="NVIDIA A30", GPU_I_ID="3", GPU_I_PROFILE="1g.6gb")))
    assert of("GPU-a", rows)["gpu_slices"] == 3


@pytest.mark.parametrize("blank", ["9223372036854775794", "9.223372036854775794e+18", "140737488355328", "2147483632"])
def test_a_blank_is_no_reading(blank: str) -> None:
    rows = read(page(line("DCGM_FI_DEV_POWER_USAGE", blank), line("DCGM_FI_DEV_GPU_TEMP", 50)))
    assert of("GPU-a", rows) == {"gpu_info": 1.0, "gpu_temperature_celsius": 50}


def test_a_blank_utilization_leaves_it_to_the_field_that_has_one() -> None:
    rows = read(page(line("DCGM_FI_DEV_GPU_UTIL", 2**63 - 14), line("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.25)))
    assert of("GPU-a", rows)["gpu_utilization"] == 0.25


def test_the_same_number_on_two_hosts_is_two_gpus_with_and_without_their_ids() -> None:
    two = [line("DCGM_FI_DEV_GPU_TEMP", 50, Hostname=host, UUID="") for host in ("node1", "node2")]
    three = line("DCGM_FI_DEV_GPU_TEMP", 60, hostname="node3.cluster.local", Hostname="", UUID="", uuid="GPU-c")
    rows = read(page(*two, three))
    assert infos(rows).keys() == {"node1/0", "node2/0", "GPU-c"}
    assert infos(rows)["GPU-c"]["index"] == "node3:0"
    assert infos(rows)["GPU-c"]["host"] == "node3.cluster.local"


def test_a_gpu_that_several_pods_share_is_read_once_and_names_them() -> None:
    shared = [{"namespace": "prod", "pod": "chat-1"}, {"namespace": "prod", "pod": "chat-0"}]
    rows = read(page(*(line("DCGM_FI_DEV_POWER_USAGE", 300, **each) for each in shared)))
    assert of("GPU-a", rows) == {"gpu_info": 1, "gpu_power_watts": 300}
    assert infos(rows)["GPU-a"]["pod"] == "chat-0,chat-1"
    assert infos(rows)["GPU-a"]["namespace"] == "prod"


def test_energy_is_left_out_from_when_a_poll_came_before_the_exporters_next_reading() -> None:
    collector = source("dcgm")

    def energies(mj: int, ts: float) -> list[float]:
        batch = collector.parse(page(line("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", mj)), ts)
        return [v for each, v in zip(batch.series, batch.values, strict=True) if each.metric == "gpu_energy_joules"]

    assert energies(1_000_000, 0.0) == [1_000]
    assert energies(2_000_000, 30.0) == [2_000]
    assert energies(2_000_000, 31.0) == []
    # A step of 30 s of energy within one would be a fault of the meter to whoever reckons with it.
    assert energies(3_000_000, 60.0) == []


def test_series_are_the_same_object_from_poll_to_poll() -> None:
    collector = source("dcgm")
    other = PAGE.replace(b"512.345", b"400.5").replace(b"123456789012", b"123456799012")
    first, again = collector.parse(PAGE, 1.0), collector.parse(other, 31.0)
    assert first.series is again.series
    assert 400.5 in again.values


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "127.0.0.1:9/metrics tells of no GPU: is it DCGM exporter, and are there GPUs on its machine?"),
        (payload("vllm/0.33.0.txt"), "tells of no GPU"),
        (b"<html></html>", "answers with a web page"),
        (PAGE[:700], "ends in the middle of a line"),
        (b'DCGM_FI_DEV_PCIE_REPLAY_COUNTER{gpu="0"} 0\n', "tells of no GPU"),
    ],
    ids=["empty", "another page", "HTML", "cut off", "no field that is read"],
)
async def test_a_page_without_gpus_is_unavailable_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await source("dcgm", answer=lambda _request: httpx.Response(200, content=body)).collect(1.0)
    assert sentence in caught.value.sentence


def test_a_page_of_endless_gpus_is_bounded() -> None:
    rows = read(page(*(line("DCGM_FI_DEV_GPU_TEMP", 50, UUID=f"GPU-{i}") for i in range(5_000))))
    assert len(infos(rows)) == 1024
