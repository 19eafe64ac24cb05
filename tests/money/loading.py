"""Texts of pricing.toml and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

from infertop.money.load import parse
from infertop.money.schema import Mistakes

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "payloads" / "pricing" / "sample.toml"
KINDS = {"vllm": {"metrics_path"}, "openai": set[str](), "nvml": set[str]()}
BUDGET = '[[budget]]\nname = "b"\nlimit_usd = 1\nperiod = "day"\n'


def mistakes(text: str, kinds: dict[str, set[str]] | None = KINDS) -> list[str]:
    """What is wrong with a text, without the file's name."""
    try:
        parse(text.encode(), "pricing.toml", kinds)
    except Mistakes as found:
        return [
            each.split("pricing.toml:", 1)[1] if each.startswith("pricing.toml:") else "?" for each in found.sentences
        ]
    return []
