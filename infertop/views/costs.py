"""What the hour costs now: each GPU's rate, who it goes to over the window, and the host's.

The same arithmetic as the ledger's (`money.allocate`), over the live window instead of a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infertop.money.allocate import ESTIMATES, Allocation, GpuUse, Holder, ModelUse, Share, allocate
from infertop.money.deployments.booked import spending, usd_per_hour
from infertop.money.deployments.declared import Deployment
from infertop.money.gpu_power import Drawn, drawn, share_out
from infertop.money.gpu_price import rate_of, slices_of
from infertop.money.gpu_rate import GpuRate
from infertop.money.gpu_shape import GpuAt, gpu_shape, reading
from infertop.money.lines import Price
from infertop.money.rates import PriceBook
from infertop.money.weights import weighted_tokens
from infertop.readings.model import Batch
from infertop.views.meters import Meters

Place = tuple[str, str]
UNKNOWN_MODEL = "(unknown)"


@dataclass(frozen=True, slots=True)
class GpuCost:
    """A GPU over the window, as its `meter` reads it.

    `usd_per_hour` is its rate and, where it is owned, its energy at the mean power `drawn`; None without a price. Power
    is rounded to the milliwatt, which is NVML's unit, so that the cost can be worked out from what is shown.
    """

    meter: str
    index: str
    at: GpuAt
    rate: GpuRate
    memory_bytes: float | None
    slices: int | None
    drawn: Drawn | None
    energy: Price | None
    energy_usd_per_hour: float
    usd_per_hour: float | None
    busy: float | None
    use: GpuUse
    allocation: Allocation

    @property
    def estimated(self) -> bool:
        """Whether a part of the cost was not measured: energy by the power limit."""
        return self.energy is not None and self.drawn is not None and self.drawn.guessed

    @property
    def idle_usd_per_hour(self) -> float | None:
        """The part of it in which nothing ran, None where that is not known."""
        if self.usd_per_hour is None or self.busy is None:
            return None
        return self.usd_per_hour * (1.0 - self.busy)


@dataclass(slots=True)
class ModelCost:
    """What a model carries an hour: all-in, and without idle time; which GPUs, and how they were divided.

    `host_share` is its part of the host's hour. `metered` says that the utilisation of all of its GPUs is known.
    """

    all_in: float | None = None
    usage: float | None = None
    host_share: float = 0.0
    gpus: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    estimated: bool = False
    metered: bool = True


@dataclass(frozen=True, slots=True)
class Costs:
    """Everything that the hour costs; None is unknown. Models + unheld = gpu; with the host's row and api = total.

    `deployments` are those whose hours are spent, used or not; `told` is what providers and logs told of their newest
    whole minutes, as far as it counts.
    """

    gpus: tuple[GpuCost, ...]
    models: Mapping[Place, ModelCost]
    gpu: float | None
    idle: float | None
    unheld: float | None
    host: float | None
    unpriced_gpus: int
    default_gpus: int
    deployments: tuple[Deployment, ...] = ()
    told: float | None = None

    @property
    def reserved(self) -> float | None:
        """What throughput that is reserved at providers costs, used or not."""
        return usd_per_hour(self.deployments)

    @property
    def api(self) -> float | None:
        """What is spent at providers: by the use that they and logs tell of, and for what is reserved there."""
        return total((self.told, self.reserved))

    @property
    def total(self) -> float | None:
        """What is known of it, together."""
        return total((self.gpu, self.host, self.api))


def total(parts: Iterable[float | None]) -> float | None:
    """Return the sum of what is known, None where nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def costs(batches: Iterable[Batch], meters: Meters, prices: PriceBook, now: float, local: frozenset[str]) -> Costs:
    """Work out what the hour costs from the newest batch of each meter of GPUs and the window before it.

    `local` are the engines on this machine, which the host's price carries where they run without a GPU.
    """
    gpus = tuple(cost for batch in batches for cost in _gpu_costs(batch, meters, prices, now))
    models: dict[Place, ModelCost] = defaultdict(ModelCost)
    for gpu in gpus:
        for share in gpu.allocation.shares:
            if gpu.allocation.held:
                _carry(models[share.source, share.model or UNKNOWN_MODEL], gpu, share)
    host = prices.host_price(now)
    host_usd = float(host.usd) if host else None
    if host_usd is not None:
        _carry_host(models, meters, host_usd, local)
    return Costs(
        gpus=gpus,
        models=dict(models),
        gpu=total(gpu.usd_per_hour for gpu in gpus),
        idle=total(gpu.idle_usd_per_hour for gpu in gpus),
        unheld=total(0.0 if gpu.allocation.held else gpu.usd_per_hour for gpu in gpus),
        host=host_usd,
        unpriced_gpus=sum(gpu.rate.price is None for gpu in gpus),
        default_gpus=sum(gpu.rate.price is not None and gpu.rate.price.default for gpu in gpus),
        deployments=spending(prices.settings, now),
    )


def _gpu_costs(batch: Batch, meters: Meters, prices: PriceBook, now: float) -> Iterable[GpuCost]:
    indices = {each.label("gpu"): each.label("index") or "" for each in batch.series if each.metric == "gpu_info"}
    gpus = gpu_shape(batch.series).gpus
    power = share_out(gpus, batch.values, {at.gpu: _drawn(batch.source, at.gpu, meters) for at in gpus})
    for at in gpus:
        slices = slices_of(at, batch.values)
        if at.instances and slices == 0:
            continue
        rate = rate_of(at, batch.values, prices, now)
        energy, here = prices.energy_price(now) if rate.owned else None, power[at.gpu]
        energy_usd = here.watts / 1000 * float(energy.usd) if energy and here else 0.0
        busy = 0.0 if at.instances else meters.mean(batch.source, "gpu_utilization", gpu=at.gpu)
        use = _use(at, batch, meters, busy)
        yield GpuCost(
            meter=batch.source,
            index=indices.get(at.gpu, ""),
            at=at,
            rate=rate,
            memory_bytes=reading(batch.values, at.memory),
            slices=slices,
            drawn=here,
            energy=energy,
            energy_usd_per_hour=energy_usd,
            usd_per_hour=None if rate.price is None else float(rate.price.usd) + energy_usd,
            busy=None if busy is None else min(max(busy, 0.0), 1.0),
            use=use,
            allocation=allocate(use),
        )


def _drawn(source: str, gpu: str, meters: Meters) -> Drawn | None:
    """Return the mean power over the window: by the energy counter, else by power over time, else by its limit."""
    found = drawn(
        meters.rate(source, "gpu_energy_joules", gpu=gpu),
        meters.even_mean(source, "gpu_power_watts", gpu=gpu),
        meters.total(source, "gpu_power_limit_watts", gpu=gpu),
    )
    return found and found._replace(whole_watts=round(found.whole_watts, 3))


def _use(at: GpuAt, batch: Batch, meters: Meters, busy: float | None) -> GpuUse:
    """Return the window of one GPU as if it had lasted a second: what counts is how it is divided."""
    holders = () if at.instances else at.holders
    return GpuUse(
        gpu=at.gpu,
        seconds=1.0,
        busy_seconds=busy,
        holders=tuple(
            Holder(
                holder.source,
                _model_uses(holder.source, at.gpu, meters),
                meters.mean(batch.source, "placement_memory_bytes", gpu=at.gpu, holder=holder.source),
                meters.mean(batch.source, "placement_utilization", gpu=at.gpu, holder=holder.source),
            )
            for holder in holders
        ),
        meter=batch.source,
    )


def _model_uses(source: str, gpu: str, meters: Meters) -> tuple[ModelUse, ...]:
    uses = []
    for model in meters.models(source):
        tokens = {name: each for name, each in meters.tokens(source, model).items() if each is not None}
        compute = meters.increase(source, "compute_seconds_total", model=model, gpu=gpu) if gpu else None
        requests = meters.increase(source, "requests", model=model)
        weight = weighted_tokens(tokens) if tokens else None
        uses.append(ModelUse(model, compute and compute.amount, weight, requests and requests.amount))
    return tuple(uses)


def _carry(model: ModelCost, gpu: GpuCost, share: Share) -> None:
    """Add a GPU's share to a model; what it uses is unknown where that of one of its GPUs is."""
    model.gpus.append(gpu.at.gpu)
    model.methods.append(gpu.allocation.method)
    model.estimated = model.estimated or gpu.estimated or bool(ESTIMATES & {*share.busy_by, *share.idle_by})
    if gpu.usd_per_hour is not None:
        model.all_in = (model.all_in or 0.0) + gpu.usd_per_hour * share.all_in
    if share.idle is None:
        model.metered, model.usage = False, None
    elif gpu.usd_per_hour is not None and model.metered:
        model.usage = (model.usage or 0.0) + gpu.usd_per_hour * share.busy


def _carry_host(models: dict[Place, ModelCost], meters: Meters, host_usd: float, local: frozenset[str]) -> None:
    """Divide the host's hour among local models without a GPU: by weighted tokens, else requests, else equally."""
    with_gpu = {source for source, _ in models}
    carriers = [
        Holder(source, (model,)) for source in sorted(local - with_gpu) for model in _model_uses(source, "", meters)
    ]
    if not carriers:
        return
    allocation = allocate(GpuUse("host", 1.0, None, tuple(carriers)))
    for share in allocation.shares:
        cost = models[share.source, share.model or UNKNOWN_MODEL]
        cost.all_in = (cost.all_in or 0.0) + host_usd * share.busy
        cost.host_share += share.busy
        cost.estimated = bool(ESTIMATES & set(share.busy_by))
        cost.methods.append(f"the host's hour by {' and '.join(share.busy_by)}" if share.busy_by else "the host's hour")
