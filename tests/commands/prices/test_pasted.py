"""What `prices` gives to paste: as it is, pricing.toml takes it for no price; filled in, it is one."""

from __future__ import annotations

import pytest

from infertop.money.load import parse
from infertop.money.schema import Mistakes
from tests.commands.prices.asking import Run


def pasted(out: str) -> str:
    """The lines from the first heading of a table on, without what is said after an empty line."""
    lines = [line.strip() for line in out.splitlines()]
    begin = next(n for n, line in enumerate(lines) if line.startswith("["))
    found = [line for line in lines[begin:] if line.startswith(("[", "#")) or " = " in line]
    return "\n".join(found) + "\n"


@pytest.mark.parametrize(("name", "keys"), [("my-own-model", ("input", "output")), ("GTX 1080 Ti", ("usd_per_hour",))])
def test_what_is_pasted_and_not_filled_in_is_refused_with_a_sentence_for_each_price(
    prices: Run, name: str, keys: tuple[str, ...]
) -> None:
    _, out, _ = prices(name)
    text = pasted(out)
    with pytest.raises(Mistakes) as refused:
        parse(text.encode())
    assert len(refused.value.sentences) == len(keys)
    for sentence, key in zip(refused.value.sentences, keys, strict=True):
        assert sentence.endswith("without quotes"), sentence
        assert f".{key} must be a number" in sentence
    filled = parse(text.replace('"?"', "1.5").encode())
    assert len((*filled.models, *filled.gpus)) == 1
