"""What pricing.toml says: plain values, checked when they were read. Amounts are Decimal and in USD.

Every entry keeps `where` it stands ("pricing.toml:4"), because a price is shown with its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from infertop.money.periods import PeriodKind

if TYPE_CHECKING:
    from infertop.money.deployments.declared import Deployment

UTC = ZoneInfo("UTC")

# What a line of the ledger can be told apart by, and so what a budget can be limited to.
DIMENSIONS = ("source", "provider", "model", "project", "key", "team", "feature", "customer", "environment")
# What [[assign]] looks at, and what it sets.
ASSIGN_CONDITIONS = ("source", "provider", "model", "project", "key", "user", "tag")
ASSIGN_RESULTS = ("team", "feature", "customer", "environment")
# Ways of processing that may have prices of their own.
VARIANTS = ("batch", "flex", "priority")
# The shares of a budget at which it is told, where the file does not say.
ALERT_AT = (Decimal("0.5"), Decimal("0.8"), Decimal(1))
HOUR_ALERT_AT = (Decimal(1),)  # every hour is spent in part
# How a webhook may be told.
ALERT_FORMATS = ("json", "slack", "alertmanager")

Conditions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Owned:
    """A machine that was bought; it is powered on for `availability` (0 to 1) of its lifetime."""

    purchase_usd: Decimal
    lifetime_years: Decimal
    residual_usd: Decimal = Decimal(0)
    availability: Decimal = Decimal(1)
    overhead_usd_per_month: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class HourlyRate:
    """What an hour of a GPU or of the host costs: exactly one of `usd_per_hour` (rented) and `owned` is set.

    `name` is NVML's name, a family ("H100", "A100-80GB") or a glob; for the host it is "host". It holds from the
    beginning of the day `since`, and always without. `overhead_usd_per_month` comes on top of a rent.
    """

    name: str
    where: str
    usd_per_hour: Decimal | None = None
    owned: Owned | None = None
    since: date | None = None
    overhead_usd_per_month: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """USD per kWh from one time of day to another, in minutes since midnight; `end` <= `start` runs over midnight."""

    start: int
    end: int
    usd_per_kwh: Decimal
    where: str


@dataclass(frozen=True, slots=True)
class Energy:
    """What energy costs: USD per kWh at the meter, and how many kWh the site draws for one that a GPU uses (PUE).

    It holds from the beginning of the day `since`, and always without. `pue_where` is empty where the PUE is not set.
    """

    usd_per_kwh: Decimal
    where: str
    pue: Decimal = Decimal(1)
    tariffs: tuple[Tariff, ...] = ()
    since: date | None = None
    pue_where: str = ""


@dataclass(frozen=True, slots=True)
class ClassPrice:
    """USD per million tokens of the class `name`, or for one of the call unit `name`."""

    name: str
    usd: Decimal
    where: str


@dataclass(frozen=True, slots=True)
class Tier:
    """What a request with more than `above` prompt tokens pays for all of its tokens of these classes."""

    above: int
    prices: tuple[ClassPrice, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """What another way of processing costs: `factor` times the entry's own token prices, or `prices` of its own."""

    name: str
    where: str
    factor: Decimal | None = None
    prices: tuple[ClassPrice, ...] = ()
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """The prices of the models that `pattern` (a name or a glob) matches, from the beginning of the day `since` on.

    `provider` is a name or a glob, empty for every provider. `prices` are of token classes, `calls` of call units;
    `tiers` ascend. A way of processing that is not among `variants` costs the standard rate.
    """

    pattern: str
    where: str
    provider: str = ""
    prices: tuple[ClassPrice, ...] = ()
    since: date | None = None
    calls: tuple[ClassPrice, ...] = ()
    tiers: tuple[Tier, ...] = ()
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderFactor:
    """A negotiated rate: what the list prices of a provider are multiplied by, from the day `since` on."""

    provider: str
    factor: Decimal
    where: str
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on what may be spent in a period on what `conditions` (dimension, glob) match; none: on everything.

    One with an `origin` is that provider's own: its periods are those of UTC, its conditions ids as the provider has
    them, and what is spent of it does not ask whether that counts here.
    """

    name: str
    limit_usd: Decimal
    period: PeriodKind
    where: str
    alert_at: tuple[Decimal, ...] = ALERT_AT
    conditions: Conditions = ()
    origin: str = ""

    def zone(self, own: ZoneInfo) -> ZoneInfo:
        """Return the time zone of its periods, where `own` is that of pricing.toml's."""
        return UTC if self.origin else own


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who spent it: what `conditions` (dimension, glob) match belongs to `results` (dimension, value)."""

    conditions: Conditions
    results: tuple[tuple[str, str], ...]
    where: str


@dataclass(frozen=True, slots=True)
class Alert:
    """What is marked, what is worth an alert, and who is told of it besides the screen.

    A request dearer than `request_usd` and a value beyond `sigma` standard deviations are marked. An incident has
    `floor_usd` at stake (None: by the budgets) and `ratio` times what was expected (None: the rule's own). It is told
    to a webhook, whose URL is one of three and may be a secret, in `format` ("": by the URL), and to a `command`, at
    most `per_hour` messages each; the screen rings the `bell` and sends the terminal's notifications `osc` (9, 777).
    `where` has the lines of what says whom to tell.
    """

    request_usd: Decimal | None = None
    sigma: Decimal = Decimal(2)
    floor_usd: Decimal | None = None
    ratio: Decimal | None = None
    webhook: str = field(default="", repr=False)
    webhook_env: str = ""
    webhook_file: str = ""
    format: str = ""
    command: tuple[str, ...] = field(default=(), repr=False)
    per_hour: int = 20
    bell: bool = False
    osc: tuple[int, ...] = ()
    where: Conditions = ()

    @property
    def has_webhook(self) -> bool:
        """Whether one is set, wherever its URL is."""
        return bool(self.webhook or self.webhook_env or self.webhook_file)


@dataclass(frozen=True, slots=True)
class Source:
    """A source that the user names. `options` are the kind's own keys; `trusted` is False where the file is not.

    A source that is not trusted must not be given any key, not even one found in the environment.
    """

    kind: str
    name: str
    where: str
    url: str = ""
    gpus: tuple[str, ...] = ()
    interval_seconds: float | None = None
    key_env: str = ""
    key_file: str = ""
    counts: bool | None = None
    options: Mapping[str, object] = field(default_factory=dict, hash=False)
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that pricing.toml says; without a file, the defaults."""

    zone: ZoneInfo = UTC
    gpus: tuple[HourlyRate, ...] = ()
    host: HourlyRate | None = None
    energy: Energy | None = None
    models: tuple[ModelPrices, ...] = ()
    providers: tuple[ProviderFactor, ...] = ()
    budgets: tuple[Budget, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    alert: Alert = Alert()
    sources: tuple[Source, ...] = ()
    deployments: tuple[Deployment, ...] = ()
