"""Whatever is in the ledger, there is a what-if page: nothing in it is infinite, nothing of it breaks a terminal."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infertop.commands.whatif_text import as_text
from infertop.history.reader import Reader
from infertop.money.lines import Basis, Line, Price
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES
from infertop.views.whatif import Asked, whatif_page
from infertop.views.whatif_json import as_data
from tests.views.random_views import HOSTILE
from tests.whatif_world import API, HOUR, NOON, book, minute, record

names = st.sampled_from(["gpt-4o", "llama-70b", "m", *HOSTILE])
resources = [
    *TOKEN_CLASSES,
    *CALL_UNITS,
    "gpu_busy",
    "gpu_idle",
    "gpu",
    "gpu_energy",
    "host",
    "cost",
    "deployment",
    "odd",
]
prices = st.sampled_from(
    [None, Price("H100", Decimal(0), "GPU hour", "x"), Price("\x1b[2J", Decimal("1e9"), "q", "\x07")]
)
dimensions = st.sampled_from(
    [
        (),
        (("batch", "true"),),
        (("service_tier", "flex"),),
        (("gpu", "GPU-\x1b[2J"),),
        (("state", "idle"), ("gpu", "g")),
    ]
)
amounts = st.one_of(st.integers(0, 2**53), st.sampled_from([0, 1]))
some_lines = st.builds(
    lambda line, ago, end: next(minute(ago, replace(line, end=end))),
    st.builds(
        replace,
        st.just(API),
        source=st.sampled_from(["vllm@a:1", "openai", "nvml"]),
        provider=st.sampled_from(["local", "openai", "anthropic", "azure", "nobody"]),
        model=st.one_of(st.none(), names),
        resource=st.sampled_from(resources),
        dimensions=dimensions,
        quantity=amounts,
        usd_nano=st.one_of(st.none(), amounts, amounts.map(lambda usd: -usd)),
        price=prices,
        basis=st.sampled_from(list(Basis)),
        flags=st.sampled_from(["", "gap", "restart"]),
    ),
    st.integers(0, 90),
    st.sampled_from([60, 60, 3600, 86_400]),
)
questions = st.builds(
    Asked,
    to=st.sampled_from([(), ("openai/gpt-4o",), ("*whisper*",), ("no-such",)]),
    gpu=st.sampled_from(["", "H100", "nonsense\x1b"]),
    tokens_per_second=st.sampled_from([None, 1e-6, 640.0, 1e8]),
    scale=st.sampled_from([(1.0,), (1e-6, 1e8)]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(some_lines, max_size=25), st.integers(0, 60), questions)
def test_whatever_is_in_the_ledger_there_is_a_page(lines: list[Line], recorded: int, asked: Asked) -> None:
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(record(Path(folder) / "x.db", lines, minutes=recorded))
        page = reader.ask(whatif_page, book(), NOON, NOON - HOUR, NOON, asked)
        reader.close()
    assert json.loads(json.dumps(as_data(page), allow_nan=False))["schema"] == 1
    assert all(line.isprintable() for line in as_text(page).splitlines())
    for each in page.subjects:
        assert all(row.usd_per_hour is None or row.usd_per_hour >= 0 for row in each.alternatives if not row.current)
        assert all(row.own_gpus is None or row.own_gpus >= 1 for row in each.scale)
        assert all(row.reachable is not True or (row.utilization or 0) <= 1 for row in each.break_even)
