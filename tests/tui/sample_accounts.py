"""Pages of providers made by hand: one as teams have it, one with nothing, one with names that want to do harm."""

from __future__ import annotations

import math

from infertop.views.account_shapes import AccountRow, AccountsPage, DayRow, PartRow
from tests.tui import sample

DAY = 86_400.0
TODAY = sample.AT // DAY * DAY


def day(before: int, computed: float, billed: float, unmatched: float = 0.0, source: str = "openai") -> DayRow:
    start = TODAY - before * DAY
    rows = (("code interpreter sessions", unmatched),) if unmatched else ()
    return DayRow(source, start, start + DAY, start + 2 * DAY, before >= 2, billed, computed, unmatched, 0.0, rows)


DAYS = (day(0, 61.2, 40.0), day(1, 212.5, 214.0, 1.5), *(day(n, 200.0 + n, 201.5 + n, 1.5) for n in range(2, 22)))
OPENAI = AccountRow(
    "openai", "openai", "up", True, 43.38, 463.91, 4118.2, sample.AT - 640, 640.0, 3702.4, 415.8, 30.0, 0.0071, DAYS,
    (
        ("asked", "20 s ago, every 60 s"),
        ("drift", "billed, and in no usage that it tells: code interpreter sessions $31.50"),
        ("limit", "OpenAI spend limit, organization: $5,000 a month, enforced"),
        ("rate limits", "gpt-4o 500 requests/min, gpt-4o 30000 tokens/min"),
    ),
    ("drift = billed - computed, over the settled days that were read", "  = 4240 - 4210 = 30 USD"),
)  # fmt: skip
CLAUDE = AccountRow("claude-code", "claude-code", "up", False, 1.2, 8.04, 102.5, sample.AT - 2, 2.0)
DEEPSEEK = AccountRow(
    "deepseek", "deepseek", "auth", True, None, None, None, None, None,
    lines=(("balance", "110 CNY topped up, as deepseek says"), ("trouble", "deepseek refused the key (401)")),
)  # fmt: skip
PARTS = (
    PartRow("gpt-4.1", "model", 21.36, 249.21, 2211.4, 0.537, 7166, 210_363_780, told=("share = 1 / 2 = 0.5",)),
    PartRow("gpt-4o", "model", 20.19, 214.7, 1906.1, 0.4628, 11_457, 67_246_792),
    PartRow("gpt-4o-mini", "model", 0.0, 0.0, 0.7, 0.00017, 88, 1_200_300),
    PartRow("(none)", "model", None, None, None, None, None, 0),
    PartRow("claude-opus-4-6", "model", 1.2, 8.04, 102.5, None, 40, 9_000_000, counts=False),
)
PAGE = AccountsPage(
    sample.AT, TODAY - 21 * DAY, "model", (), (CLAUDE, OPENAI, DEEPSEEK), PARTS, (("team", 0.42), ("environment", 1.0))
)
NOTHING = AccountsPage(sample.AT, TODAY, "model", ())
_ODD = (math.nan, math.inf, -1e300, 1e18)
HOSTILE = AccountsPage(
    sample.AT,
    0.0,
    "model",
    (),
    tuple(
        AccountRow(
            name, name, name, True, odd, odd, odd, odd, odd, odd, odd, odd, odd,
            tuple(DayRow(name, each, each, each, False, each, each, each, each, ((name, each),)) for each in _ODD),
            ((name, name),), (name,),
        )
        for name, odd in zip(sample.HOSTILE_NAMES, _ODD * 20, strict=False)
    ),
    tuple(PartRow(name, name, math.inf, math.nan, -1.0, 1e9, 1, 1, told=(name,)) for name in sample.HOSTILE_NAMES),
    tuple((name, 0.5) for name in sample.HOSTILE_NAMES),
)  # fmt: skip
