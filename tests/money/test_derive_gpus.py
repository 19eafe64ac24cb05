from decimal import Decimal
from fractions import Fraction

import pytest

from infertop.money.derive import Deriver
from infertop.money.gpu_drafts import is_idle
from infertop.money.lines import Basis
from infertop.money.settings import Tariff
from infertop.readings.model import Series
from tests.money.tape import LLAMA, START, VLLM, Gpu, batch, book, engine, host, nvml, owned_book, totals, usd_nano

OTHER = "vllm@127.0.0.1:8001"
A_MINUTE = range(61)
NANO_PER_MS = Fraction(2_490_000_000, 3_600_000)


def derived(*batches, prices=None, **options):
    deriver = Deriver(prices or book(), **options)
    for each in sorted(batches, key=lambda each: each.ts):
        deriver.advance(each)
    return deriver


def minute(*batches, **options):
    return derived(*batches, **options).close_before(START + 60)


def held(*sources, **more):
    return Gpu(holders=dict.fromkeys(sources, (None, None)), **more)


def polls(gpu, every=1.0):
    return [nvml(START + i * every, gpu) for i in range(int(60 / every) + 1)]


def quantity(lines, resource, source=None):
    return sum(each.quantity for each in lines if each.resource == resource and source in (None, each.source))


def test_a_full_minute_of_polls_is_sixty_thousand_milliseconds_and_its_whole_price():
    found = minute(*polls(held(VLLM, utilization=0.25)), engine(START, requests=0))
    assert totals(found) == {(VLLM, LLAMA, "gpu_busy"): 15_000, (VLLM, LLAMA, "gpu_idle"): 45_000}
    assert usd_nano(found) == round(60_000 * NANO_PER_MS) == 41_500_000
    assert {(each.unit, each.dimensions, each.basis, each.price.source) for each in found} == {
        ("ms", (("gpu", "GPU-0"),), Basis.MEASURED, "pricing.toml:2")
    }


def test_uneven_polls_lose_no_millisecond_at_minute_edges():
    times = [START + 0.25 + i * 1.0137 for i in range(170)]
    deriver = derived(*[nvml(each, Gpu(utilization=0.0)) for each in times])
    by_minute = [quantity(deriver.close_before(START + edge), "gpu_idle") for edge in (60, 120, 180)]
    assert by_minute == [59_750, 60_000, round(times[-1] * 1000) - START * 1000 - 120_000]


def test_a_gpu_that_nobody_holds_is_unheld_time_of_the_meter():
    found = minute(*polls(Gpu(utilization=0.1)))
    assert totals(found) == {("nvml", None, "gpu_busy"): 6_000, ("nvml", None, "gpu_idle"): 54_000}


def test_time_before_and_after_a_model_was_loaded_is_told_apart_to_the_poll():
    batches = [nvml(START + i, held(VLLM) if i > 20 else Gpu(utilization=0.0)) for i in A_MINUTE]
    found = minute(*batches, engine(START + 30, requests=0))
    assert quantity(found, "gpu_idle", "nvml") == 20_000
    assert quantity(found, "gpu_busy", VLLM) + quantity(found, "gpu_idle", VLLM) == 40_000
    assert usd_nano(found) == 41_500_000


def test_two_engines_on_a_gpu_share_busy_time_by_sm_time_and_idle_time_by_memory():
    gpu = Gpu(utilization=0.8, holders={VLLM: (30e9, 0.6), OTHER: (10e9, 0.2)})
    found = minute(*polls(gpu), engine(START, requests=0), engine(START, source=OTHER, model="small", requests=0))
    assert totals(found) == {
        (VLLM, LLAMA, "gpu_busy"): 36_000,
        (OTHER, "small", "gpu_busy"): 12_000,
        (VLLM, LLAMA, "gpu_idle"): 9_000,
        (OTHER, "small", "gpu_idle"): 3_000,
    }
    assert {each.basis for each in found} == {Basis.MEASURED}


def test_without_sm_time_busy_time_goes_by_the_weighted_tokens_of_the_minute():
    gpu = held(VLLM, OTHER, utilization=1.0)
    found = minute(
        *polls(gpu),
        engine(START, prompt_tokens=0, cached_tokens=0, output_tokens=0),
        engine(START + 30, prompt_tokens=1100, cached_tokens=1000, output_tokens=25),  # 100 + 100 + 100
        engine(START, source=OTHER, model="small", output_tokens=0),
        engine(START + 5, source=OTHER, model="small", output_tokens=25),  # 100
        gap_seconds=lambda source: 15.0 if source == "nvml" else 60.0,
    )
    assert quantity(found, "gpu_busy", VLLM) == 45_000
    assert quantity(found, "gpu_busy", OTHER) == 15_000
    assert {each.basis for each in found if each.resource == "gpu_busy"} == {Basis.ESTIMATED}


def test_models_of_one_triton_share_by_compute_time_on_that_gpu():
    def triton(ts, a, b, on_other):
        said = [
            (Series.of("compute_seconds_total", model="a", gpu="GPU-0"), a),
            (Series.of("compute_seconds_total", model="b", gpu="GPU-0"), b),
            (Series.of("compute_seconds_total", model="c", gpu="GPU-1"), on_other),
        ]
        return batch("triton@127.0.0.1:8002", ts, said)

    gpu = held("triton@127.0.0.1:8002", utilization=1.0)
    found = minute(*polls(gpu), triton(START, 0.0, 0.0, 0.0), triton(START + 10, 3.0, 1.0, 9.0))
    busy = {each.model: each.quantity for each in found if each.resource == "gpu_busy"}
    assert busy == {"a": 45_000, "b": 15_000}


def test_an_engine_that_was_not_polled_keeps_its_models_and_one_never_polled_has_none():
    batches = [nvml(START + i, held(VLLM, OTHER)) for i in range(121)]
    deriver = derived(engine(START + 1, requests=0), *batches)
    deriver.close_before(START + 60)
    found = deriver.close_before(START + 120)
    assert {(each.source, each.model) for each in found} == {(VLLM, LLAMA), (OTHER, None)}


def test_without_utilisation_all_time_is_gpu_time_of_unknown_use():
    found = minute(*polls(held(VLLM, utilization=None)), engine(START, requests=0))
    assert totals(found) == {(VLLM, LLAMA, "gpu"): 60_000}
    assert usd_nano(found) == 41_500_000


def test_utilisation_that_comes_and_goes_is_told_apart():
    batches = [nvml(START + i, held(VLLM, utilization=1.0 if i <= 45 else None)) for i in A_MINUTE]
    found = minute(*batches, engine(START, requests=0))
    assert totals(found) == {
        (VLLM, LLAMA, "gpu_busy"): 45_000,
        (VLLM, LLAMA, "gpu_idle"): 0,
        (VLLM, LLAMA, "gpu"): 15_000,
    }
    assert usd_nano(found) == 41_500_000


def test_a_gpu_without_a_price_has_its_time_and_no_cost():
    gpu = held(VLLM, utilization=0.5, name="Graphics Device")
    found = minute(*polls(gpu), engine(START, requests=0), prices=book(None))
    assert quantity(found, "gpu_busy") == quantity(found, "gpu_idle") == 30_000
    assert {(each.usd_nano, each.price) for each in found} == {(None, None)}


def test_a_hole_in_the_polls_is_unknown_time_and_costs_nothing():
    times = [*range(11), *range(31, 61)]
    found = minute(*[nvml(START + i, Gpu()) for i in times])
    assert quantity(found, "gpu_busy") + quantity(found, "gpu_idle") == 39_000


def test_a_gpu_counts_from_its_second_poll_and_until_its_last():
    batches = [nvml(START + i, Gpu(), *([Gpu("GPU-1")] if 10 <= i <= 30 else [])) for i in A_MINUTE]
    found = minute(*batches)
    second = [each for each in found if each.dimensions == (("gpu", "GPU-1"),)]
    assert sum(each.quantity for each in second) == 20_000


def test_a_price_that_changes_within_a_minute_makes_lines_of_its_own():
    deriver = Deriver(book("2.49"))
    for i in A_MINUTE:
        if i == 21:
            deriver.prices = book("4.98")
        deriver.advance(nvml(START + i, Gpu(utilization=0.0)))
    found = deriver.close_before(START + 60)
    idle = [(each.price.usd, each.quantity) for each in found if each.resource == "gpu_idle"]
    assert idle == [(Decimal("2.49"), 20_000), (Decimal("4.98"), 40_000)]
    assert usd_nano(found) == round(100_000 * NANO_PER_MS)


def mig(ts, *instances, rest):
    whole = Gpu("GPU-0", utilization=None, slices=rest, watts=700.0)
    parts = [
        Gpu(
            f"MIG-{i}", None, dict.fromkeys(sources, (None, None)), "NVIDIA H100 80GB HBM3 MIG 1g.10gb", "GPU-0", slices
        )
        for i, (slices, sources) in enumerate(instances)
    ]
    return nvml(ts, whole, *parts)


def test_mig_instances_and_what_is_left_of_their_gpu_cost_the_gpu_once():
    batches = [mig(START + i, (3, [VLLM]), (1, []), rest=3) for i in A_MINUTE]
    found = minute(*batches, engine(START, requests=0))
    time = {(e.dimensions[0][1], e.source, e.resource): e for e in found if e.unit == "ms"}
    assert {key: each.quantity for key, each in time.items()} == {
        ("MIG-0", VLLM, "gpu"): 60_000,
        ("MIG-1", "nvml", "gpu"): 60_000,
        ("GPU-0", "nvml", "gpu_busy"): 0,
        ("GPU-0", "nvml", "gpu_idle"): 60_000,
    }
    assert time["MIG-0", VLLM, "gpu"].usd_nano == round(41_500_000 * Fraction(3, 7))
    assert usd_nano(found) == 41_500_000
    assert {e.dimensions for e in found if e.source == VLLM} == {(("gpu", "MIG-0"), ("slices", "3"))}
    energy = {e.dimensions[0][1]: e.quantity for e in found if e.unit == "mJ"}
    assert energy == {"MIG-0": 18_000_000, "MIG-1": 6_000_000, "GPU-0": 18_000_000}


def test_a_gpu_that_is_all_given_to_instances_has_no_rest():
    found = minute(*[mig(START + i, *[(1, [])] * 7, rest=0) for i in A_MINUTE])
    assert {dict(each.dimensions)["gpu"] for each in found} == {f"MIG-{i}" for i in range(7)}
    assert usd_nano(found) == 41_500_000


def test_slices_that_are_unknown_leave_instance_and_rest_without_a_price():
    def poll(ts):
        return nvml(ts, Gpu("GPU-0", None), Gpu("MIG-0", None, name="MIG device", parent="GPU-0"))

    found = minute(*[poll(START + i) for i in A_MINUTE])
    assert {(each.quantity, each.usd_nano) for each in found if each.resource != "gpu_busy"} == {(60_000, None)}


def test_energy_of_a_gpu_of_ones_own_is_priced_by_the_kwh_and_pue_idle_energy_apart():
    gpus = [held(VLLM, utilization=0.75, joules=1000.0 + 400 * i) for i in A_MINUTE]
    found = minute(*[nvml(START + i, g) for i, g in enumerate(gpus)], engine(START, requests=0), prices=owned_book())
    energy = [each for each in found if each.resource == "gpu_energy"]
    assert [(each.quantity, each.unit, each.dimensions) for each in energy] == [
        (18_000_000, "mJ", (("gpu", "GPU-0"),)),
        (6_000_000, "mJ", (("gpu", "GPU-0"), ("state", "idle"))),
    ]
    assert usd_nano(energy) == round(Fraction(24_000_000, 3_600_000_000) * Fraction("0.195") * 10**9) == 1_300_000
    assert usd_nano(found) == 1_300_000 + round(Fraction("0.73") * 10**9 / 60)
    assert usd_nano(e for e in found if is_idle(e.resource, e.dimensions)) == pytest.approx(usd_nano(found) / 4, abs=2)


def test_energy_of_a_rented_gpu_is_counted_and_not_priced():
    found = minute(*[nvml(START + i, Gpu(watts=500.0)) for i in A_MINUTE])
    energy = [each for each in found if each.resource == "gpu_energy"]
    assert [(each.quantity, each.usd_nano, each.dimensions) for each in energy] == [
        (15_000_000, None, (("gpu", "GPU-0"),)),
        (15_000_000, None, (("gpu", "GPU-0"), ("state", "idle"))),
    ]


def test_a_counter_of_energy_that_falls_or_leaps_gives_way_to_power():
    readings = [1e9, 1e9 + 100, 50.0, 1e12, 1e12 + 100]
    found = minute(*[nvml(START + i, Gpu(joules=j, watts=200.0)) for i, j in enumerate(readings)])
    assert quantity(found, "gpu_energy") == (100 + 200 + 200 + 100) * 1000


def test_a_tariff_that_begins_at_a_minute_parts_energy_there():
    at = (START // 60 + 1) % 1440
    night = Tariff(at, (at + 60) % 1440, Decimal("0.10"), "pricing.toml:8")
    found = derived(
        *[nvml(START + 30.5 + i, Gpu(watts=360.0, utilization=1.0)) for i in range(61)], prices=owned_book(night)
    ).open_lines()
    energy = {(each.start, each.price.usd): each.quantity for each in found if each.unit == "mJ" and each.quantity}
    assert energy == {(START, Decimal("0.195")): 29_500 * 360, (START + 60, Decimal("0.130")): 30_500 * 360}


def test_the_host_is_carried_by_local_models_that_hold_no_gpu():
    cpu, other = "llamacpp@127.0.0.1:8080", "llamacpp@127.0.0.1:8081"
    batches = [
        *[host(START + i) for i in range(0, 61, 2)],
        *[nvml(START + i, held(VLLM)) for i in A_MINUTE],
        *[engine(START + i, output_tokens=9 * i) for i in (0, 9)],
        *[engine(START + i, source=cpu, model="tiny", output_tokens=3 * i) for i in (0, 9)],
        *[engine(START + i, source=other, model="tiny", output_tokens=i) for i in (0, 9)],
        *[engine(START + i, source="vllm@10.0.0.5:8000", output_tokens=i) for i in (0, 9)],
    ]
    found = minute(*batches, prices=book(host="0.40"), local_sources={VLLM, cpu, other})
    lines = [each for each in found if each.resource == "host"]
    assert totals(lines) == {(cpu, "tiny", "host"): 45_000, (other, "tiny", "host"): 15_000}
    assert usd_nano(lines) == round(Fraction(400_000_000, 60))


def test_a_host_that_no_model_needs_carries_itself_and_without_a_price_has_no_cost():
    batches = [host(START + i) for i in range(0, 61, 2)]
    assert totals(minute(*batches, prices=book(host="0.40"))) == {("host", None, "host"): 60_000}
    (unpriced,) = minute(*batches)
    assert (unpriced.resource, unpriced.quantity, unpriced.usd_nano) == ("host", 60_000, None)
