from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infertop.commands.wrapping import wrapped

TOLD = "63.1 requests, 309 M input, 4.2 k output, 26 % of it, 12 more"


@given(st.integers(12, 80))
def test_a_number_and_its_unit_are_never_parted(width: int) -> None:
    lines = wrapped(TOLD, width, indent="  ")
    assert " ".join(line.strip() for line in lines) == TOLD
    assert all(len(line) <= width for line in lines)
    text = "\n".join(lines)
    assert all(whole in text for whole in ("309 M", "4.2 k", "26 %"))


def test_other_blanks_are_where_lines_end_and_what_does_not_print_is_replaced() -> None:
    assert wrapped("123 More 5 models\x1b", 9, first="> ", indent="  ") == [
        "> 123",
        "  More 5",
        "  models\N{REPLACEMENT CHARACTER}",
    ]
