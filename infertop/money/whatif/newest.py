"""Which models stand for the others where all of them are too many: the newest of their makers' own lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from infertop.money.whatif.offers import Offer

# Whose own lists are looked at, and how their general models are called there.
MAKERS = {
    "openai": ("gpt",),
    "anthropic": ("claude",),
    "google": ("gemini",),
    "mistral": ("mistral",),
    "deepseek": ("deepseek",),
    "x-ai": ("grok",),
}
EACH = 3
# Words in the names of models that are made for one thing, not for any text.
_SPECIAL = re.compile(
    r"agent|audio|banana|build|chat|code|codex|computer|cyber|deep|dialogue|edge|embed|embedding|er|exp|fast|ft|image"
    r"|instruct|it|live|maas|moderation|multi|ocr|omni|oss|realtime|research|robotics|rosalind|saba|safeguard|search"
    r"|speech|streaming|terminus|thinking|tiny|transcribe|translate|tts|video|vision|voice|whisper"
)
_UNSAID = frozenset(("latest", "preview", "beta"))
_VERSION = re.compile(r"v?(\d{1,2})(?:\.(\d{1,2}))?")
_DATE = re.compile(r"\d{4,8}")
_DASHED_DATE = re.compile(r"(20\d\d)-(\d\d)-(\d\d)")
_MOST = 20  # a number beyond it is a size, not a version

Version = tuple[Decimal, int]
"""What the name says of the version, as a number (5.1, also of "5-1"), and of the date, as digits."""


class Named(NamedTuple):
    """A model's name taken apart: the family without its version, and the version."""

    family: str
    version: Version


def named(model: str) -> Named | None:
    """Return family and version of a general model, None where the name says that it is made for one thing."""
    family: list[str] = []
    numbers: list[str] = []
    day = 0
    for word in re.split(r"[-_/ :]", _DASHED_DATE.sub(r"\1\2\3-", model.lower())):
        number = _VERSION.fullmatch(word)
        if _SPECIAL.fullmatch(word.strip(".")):
            return None
        if number and int(number[1]) <= _MOST and len(numbers) < 2:
            numbers += [each for each in number.groups() if each]
        elif _DATE.fullmatch(word):
            day = int(word)
        elif word and word not in _UNSAID and not word.isdigit():
            family.append(word)
    return Named("-".join(family), (Decimal(".".join((*numbers, "0", "0")[:2])), day))


def newest(offers: Iterable[Offer]) -> list[Offer]:
    """Return the newest models of each maker, of each family the highest version; those with the highest ones first."""
    best: dict[tuple[str, str], tuple[Version, Offer]] = {}
    for each in offers:
        family = named(each.model) if each.model.startswith(MAKERS.get(each.provider, ("\0",))) else None
        if family is None or "output" not in each.quote.prices:
            continue
        key = (each.provider, family.family)
        if key not in best or (family.version, -len(each.model)) > (best[key][0], -len(best[key][1].model)):
            best[key] = (family.version, each)
    chosen: list[Offer] = []
    for maker in MAKERS:
        own = sorted((found for (provider, _), found in best.items() if provider == maker), key=_order)
        chosen += [offer for _, offer in own[:EACH]]
    return chosen


def _order(found: tuple[Version, Offer]) -> tuple[Decimal, int, str]:
    (version, day), offer = found
    return -version, -day, offer.model
