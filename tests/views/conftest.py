"""What several tests of views begin with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infertop.history.reader import Reader
from infertop.history.scopes import Scopes
from infertop.money.lines import Line
from infertop.money.rates import PriceBook
from infertop.views.whatif import Asked, whatif_page
from infertop.views.whatif_shapes import WhatIfPage
from tests.views.whatif_rows import Page
from tests.whatif_world import HOUR, NOON, book, record


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """Record lines and return the page of the hour before noon."""

    def made(
        lines: Sequence[Line], prices: PriceBook | None = None, scopes: Scopes | None = None, **asked: Any
    ) -> WhatIfPage:
        reader = Reader(record(tmp_path / "x.db", lines))
        return reader.ask(whatif_page, prices or book(), NOON, NOON - HOUR, NOON, Asked(**asked), scopes)

    return made
