"""What an hour of one GPU or MIG instance costs: by pricing.toml, else by the default rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatchcase

from infertop.money import gpu_rates
from infertop.money.hourly import formula, hourly_usd, plain, shared_usd, since_of
from infertop.money.lines import Price
from infertop.money.settings import HourlyRate, Settings
from infertop.money.toml_text import heading
from infertop.readings.safe import safe

PER_GPU_HOUR = "GPU hour"


@dataclass(frozen=True, slots=True)
class GpuRate:
    """What an hour of one GPU or MIG instance costs; `price` is None where nobody knows.

    `owned` GPUs pay for their energy apart, by `PriceBook.energy_price`; the rate of a rented one includes it.
    `lines` explain the rate: formula first, then what to do about it. It is by pricing.toml's entry `hourly`, or by the
    row `listed` of the default rates; `part` are its compute slices, and those of the whole GPU whose rate it shares.
    """

    price: Price | None
    owned: bool
    key: str | None
    lines: tuple[str, ...]
    hourly: HourlyRate | None = None
    listed: gpu_rates.DefaultRate | None = None
    part: tuple[int, int] | None = None


def gpu_rate(
    settings: Settings, name: str, memory_total_bytes: int | None = None, slices: int | None = None
) -> GpuRate:
    """Return the rate of the GPU that NVML names `name`: pricing.toml's, else the default one, else none.

    `settings` have the rates that hold at the time that is asked about, see `dates.Calendar`.
    A MIG instance costs the whole GPU's rate times its compute `slices` (else those in its name) over those of the
    whole, unless pricing.toml names the instance itself.
    """
    whole = gpu_rates.without_mig(name)
    instance = next((each for each in settings.gpus if each.name == name != whole), None)
    if instance:
        return _set(instance, name, gpu_rates.gpu_key(name), Decimal(1), "")
    part = slices if slices is not None else gpu_rates.mig_slices(name)
    # What a MIG instance reports is its own memory, which does not tell the GPU.
    key = gpu_rates.gpu_key(whole, memory_total_bytes if part is None else None)
    of = gpu_rates.whole_slices(key)
    cut = None if part is None else (min(max(part, 0), of), of)
    share = Decimal(1) if cut is None else Decimal(cut[0]) / of
    shared = "" if part is None else f" x {part}/{of} compute slices"
    if chosen := _chosen(settings.gpus, whole, key):
        return replace(_set(chosen, name, key, share, shared), part=cut)
    return replace(_default(name, key, share, shared), part=cut)


def _chosen(rates: Iterable[HourlyRate], name: str, key: str | None) -> HourlyRate | None:
    """Return the user's rate: NVML's exact name first, then the key, then its family, then globs in their order."""
    by_name = {each.name: each for each in rates}
    if name in by_name:
        return by_name[name]
    if key:
        by_key = {gpu_rates.family_key(each): rate for each, rate in by_name.items()}
        for kind in gpu_rates.families(key):
            if kind in by_key:
                return by_key[kind]
    globs = (each for each in by_name.values() if any(ch in each.name for ch in "*?["))
    return next((each for each in globs if fnmatchcase(name, each.name) or fnmatchcase(key or "", each.name)), None)


def _set(rate: HourlyRate, name: str, key: str | None, share: Decimal, shared: str) -> GpuRate:
    usd = shared_usd(hourly_usd(rate), share)
    price = Price(name, usd, PER_GPU_HOUR, rate.where, since_of(rate))
    line = f"$/hour = {formula(rate)}{shared} = {plain(usd)} USD/h"
    owned = rate.owned is not None
    return GpuRate(price, owned, key, (line, "energy is priced apart") if owned else (line,), hourly=rate)


def _default(name: str, key: str | None, share: Decimal, shared: str) -> GpuRate:
    # Another form of the same chip (NVL) has no price but its own: never its neighbour's.
    row = gpu_rates.default_rates().get(key or "")
    paste = heading("gpu", gpu_rates.without_mig(name))
    if row is None or row.usd_per_hour is None:
        unknown = "" if key else ", which is no GPU that infertop knows"
        line = f"no price for {safe(name, 80)}{unknown}: set usd_per_hour under {paste} in pricing.toml"
        return GpuRate(None, False, key, (line,))
    usd = shared_usd(row.usd_per_hour, share)
    price = Price(name, usd, PER_GPU_HOUR, f"default rates {row.date}", default=True)
    lines = (
        f"$/hour = default rate of {key}: {row.usd_per_hour} USD/h{shared} = {plain(usd)} USD/h",
        f"read on {row.date}{_range(row)}: {row.note}",
        f"yours may differ by a factor of 2 to 4: set usd_per_hour under {paste} in pricing.toml",
    )
    return GpuRate(price, False, key, lines, listed=row)


def _range(row: gpu_rates.DefaultRate) -> str:
    return "" if row.low is None or row.high is None else f", on offer from {row.low} to {row.high} USD/h"
