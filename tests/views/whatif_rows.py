"""What a test of the what-if page asks of it."""

from __future__ import annotations

from collections.abc import Callable

from infertop.money.lines import Line
from infertop.views.whatif_shapes import Alternative, WhatIf, WhatIfPage
from tests.whatif_world import (
    API,
    minute,
    tokens,
)

Page = Callable[..., WhatIfPage]


TIERED = """\
[model."tiered"]
provider = "acme"
input = 1
output = 4
tiers = [{ above = 900, input = 2, output = 9 }]
[model."flat"]
input = 0.01
output = 0.02
[model."lacking"]
provider = "acme"
output = 0.01
"""


def row(subject: WhatIf, name: str) -> Alternative:
    (found,) = [each for each in subject.alternatives if f"{each.provider}/{each.model}" == name]
    return found


def api_hour(**counts: int) -> list[Line]:
    return [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(API, **counts))]
