"""What was used in a window, an hour: what two windows are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES
from infertop.readings.serving import is_own

REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class UsageLine:
    """One resource of one user of it: quantity and cost (1e-9 USD, None: no price) an hour.

    `dimensions` are source, provider, model, key and so on, as far as it has them. `resource` is the ledger's: a token
    class, a call unit, "requests", "cost" (what a statement itself says was paid), "gpu_busy", "gpu_idle" and "gpu"
    (ms), "gpu_energy" (mJ), "host" and "deployment" (ms), "adjustment". `way` is how it was processed ("batch",
    "priority", "above 200,000"), empty for the standard one. `pool` is what kind of GPU it is, `gpu` which one.
    `unpriced` says that it should have a price and has none, `metered` that a meter measured it or a machine's time is
    in it: of a time in which nobody recorded it is not known.
    """

    dimensions: Mapping[str, str]
    resource: str
    per_hour: float
    nano_per_hour: int | None = None
    way: str = ""
    pool: str = ""
    gpu: str = ""
    unpriced: bool = False
    metered: bool = False

    @property
    def model(self) -> str:
        """The model, empty where it is of none."""
        return self.dimensions.get("model", "")

    @property
    def is_own(self) -> bool:
        """Whether it is of a server of one's own, whose tokens are paid for by the hour."""
        return is_own(self.dimensions.get("provider", ""))

    @property
    def is_traffic(self) -> bool:
        """Whether it is what was asked of a model, or what that cost."""
        return self.resource in TOKEN_CLASSES or self.resource in CALL_UNITS or self.resource == REQUESTS


@dataclass(frozen=True, slots=True)
class Usage:
    """A window of `seconds`, of which `recorded` (0 to 1) was recorded; `flags` are sentences on what is not known.

    `lacks_meters` says that there are machines of which nothing was recorded in it.
    """

    lines: tuple[UsageLine, ...]
    seconds: float = 3600.0
    recorded: float = 1.0
    flags: tuple[str, ...] = field(default=())
    lacks_meters: bool = False

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it, be it that nothing was used."""
        return bool(self.lines) or (self.recorded > 0 and self.seconds > 0)

    @property
    def nano_per_hour(self) -> int | None:
        """What all of it cost an hour, None where nothing has a price or nothing is known of it."""
        known = [each.nano_per_hour for each in self.lines if each.nano_per_hour is not None]
        if not self.lines and self.is_known:
            return 0
        return sum(known) if known else None


def comparable(one: Usage, other: Usage) -> tuple[Usage, Usage]:
    """Return two windows without the machines, where one knows nothing of them: those are neither new nor gone.

    A window of which nothing else is known either is left as it is, unknown.
    """
    if one.lacks_meters == other.lacks_meters or not all(each.lines for each in (one, other) if each.lacks_meters):
        return one, other
    return _without_meters(one), _without_meters(other)


def _without_meters(usage: Usage) -> Usage:
    return replace(usage, lines=tuple(line for line in usage.lines if not line.metered))
