"""What providers told and billed, as a screen is shown it. Money in USD, None is unknown, times are epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

NOBODY = "(none)"
Within = tuple[tuple[str, str], ...]
"""What a page is limited to: (dimension, name), the last one chosen last."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """A provider's day: what it billed and what was computed of it. `settles_at` is when its bills are final.

    `unmatched_usd` is the part of the bill that no line matches, `left_out_usd` what its bills never have and stands
    beside `computed_usd`. `rows` are what no line matches, by the provider's own words.
    """

    source: str
    start: float
    end: float
    settles_at: float
    settled: bool
    billed_usd: float
    computed_usd: float
    unmatched_usd: float = 0.0
    left_out_usd: float = 0.0
    rows: tuple[tuple[str, float], ...] = ()

    @property
    def drift_usd(self) -> float:
        """Billed minus computed."""
        return self.billed_usd - self.computed_usd

    @property
    def drift_ratio(self) -> float | None:
        """The drift as a share of what was computed."""
        return self.drift_usd / self.computed_usd if self.computed_usd else None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A source that tells of use: spend now, today and this month, what of it is settled, and how far bills are off.

    `complete_until` is the end of what it has told whole, `age_seconds` how long ago that was. `drift_usd` is over the
    settled days. `lines` are (label, sentence) for who looks at it, `told` says how its figures were come by, `charged`
    names those of its figures that are what was charged: nothing of them was worked out.
    """

    source: str
    kind: str
    state: str
    counts: bool
    usd_per_hour: float | None
    today_usd: float | None
    month_usd: float | None
    complete_until: float | None
    age_seconds: float | None
    settled_usd: float | None = None
    unsettled_usd: float | None = None
    drift_usd: float | None = None
    drift_ratio: float | None = None
    days: tuple[DayRow, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    charged: frozenset[str] = frozenset()

    @property
    def chosen(self) -> tuple[str, str]:
        """What the page is limited to where somebody enters it."""
        return "source", self.source


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of the spend: of one model, key, project, user or team. `share` is of the month's that counts.

    `requests` and `tokens` are today's, None where none were told: some providers tell dollars alone. `charged` names
    the figures that are what was charged.
    """

    name: str
    by: str
    usd_per_hour: float | None
    today_usd: float | None
    month_usd: float | None
    share: float | None
    requests: int | None
    tokens: int | None
    counts: bool = True
    told: tuple[str, ...] = ()
    charged: frozenset[str] = frozenset()

    @property
    def chosen(self) -> tuple[str, str]:
        """What the page is limited to where somebody enters it."""
        return self.by, self.name


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """Everything on the page of providers, as of `at`; `since` is when the month began.

    `unassigned` is, for what [[assign]] gives, the share of today's spend of everything that nobody is given.
    """

    at: float
    since: float
    by: str
    within: Within
    accounts: tuple[AccountRow, ...] = ()
    parts: tuple[PartRow, ...] = ()
    unassigned: tuple[tuple[str, float], ...] = ()
    notices: tuple[str, ...] = field(default=())
