"""GPUs that an engine names itself or that are configured for it."""

from dataclasses import replace

from infertop.engine.placement import Holder
from tests.engine.placement.placing import GIB, TINY, nvml_batch, placed

CONTAINED = Holder("triton", "triton", "http://10.0.0.5:8002", named=("GPU-a",))


async def test_an_engine_none_of_whose_processes_can_be_found_is_on_the_gpus_that_it_names_itself(placement):
    batch = nvml_batch({"GPU-a": (40 * GIB, {}), "GPU-b": (30 * GIB, {})})
    assert placed(await placement.join(batch, [CONTAINED])) == {("GPU-a", "triton"): (0, 40 * GIB, None)}


async def test_what_an_engine_names_itself_does_not_stand_against_its_processes_or_its_configuration(placement):
    batch = nvml_batch({"GPU-a": (40 * GIB, {}), "GPU-b": (30 * GIB, {12: (30 * GIB, 0.5)})})
    for holder in (replace(TINY, named=("GPU-a",)), replace(CONTAINED, gpus=("GPU-b",))):
        assert {gpu for gpu, _ in placed(await placement.join(batch, [holder]))} == {"GPU-b"}


async def test_configured_gpus_are_held_with_the_memory_of_unattributed_processes(placement):
    batch = nvml_batch(
        {
            "GPU-aaaa-1": (50 * GIB, {90: (10 * GIB, 0.5), 12: (30 * GIB, 0.25)}),
            "GPU-bbbb-2": (7 * GIB, {}),
            "GPU-cccc-3": (9 * GIB, {90: (9 * GIB, 0.5)}),
        }
    )
    far = Holder("far", "vllm", "http://10.9.9.9:8001", gpus=("GPU-aaaa…", "1"))
    assert placed(await placement.join(batch, [TINY, far])) == {
        ("GPU-aaaa-1", "far"): (1, 10 * GIB, 0.5),
        ("GPU-aaaa-1", "tiny"): (1, 30 * GIB, 0.25),
        ("GPU-bbbb-2", "far"): (0, 7 * GIB, None),
    }


async def test_configured_gpus_take_the_rest_of_the_used_memory_where_processes_do_not_tell(placement):
    batch = nvml_batch({"GPU-aaaa-1": (50 * GIB, {90: (None, None), 12: (30 * GIB, 0.25)})})
    far = Holder("far", gpus=("GPU-aaaa-1",))
    assert placed(await placement.join(batch, [TINY, far]))["GPU-aaaa-1", "far"] == (1, 20 * GIB, None)


async def test_sources_configured_for_one_gpu_share_what_is_on_it(placement):
    batch = nvml_batch({"GPU-aaaa-1": (8 * GIB, {90: (8 * GIB, 0.5)})})
    both = [Holder("a", gpus=("0",)), Holder("b", gpus=("0",))]
    assert placed(await placement.join(batch, both)) == {
        ("GPU-aaaa-1", "a"): (0.5, 4 * GIB, 0.25),
        ("GPU-aaaa-1", "b"): (0.5, 4 * GIB, 0.25),
    }


async def test_a_source_configured_for_other_gpus_does_not_hold_by_its_processes(placement):
    batch = nvml_batch({"GPU-aaaa-1": (GIB, {12: (GIB, 0.5)}), "GPU-bbbb-2": (GIB, {})})
    told = replace(TINY, gpus=("GPU-bbbb-2",))
    assert set(placed(await placement.join(batch, [told]))) == {("GPU-bbbb-2", "tiny")}
