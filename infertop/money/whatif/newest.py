"""Which models stand for the others where all of them are too many: the newest of their makers' own lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from infertop.money.whatif.offers import Name

# Who lists the models that they make themselves, and how their general ones are called there, where that can be told.
MAKERS = {
    "openai": ("gpt",),
    "anthropic": ("claude",),
    "google": ("gemini",),
    "mistral": ("mistral",),
    "deepseek": ("deepseek",),
    "x-ai": ("grok",),
    "cohere": (),
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


class Family(NamedTuple):
    """A model's name taken apart: the family without its version, and the version."""

    family: str
    version: Version


def family_of(model: str) -> Family | None:
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
    return Family("-".join(family), (Decimal(".".join((*numbers, "0", "0")[:2])), day))


def newest(names: Iterable[Name], has_price: Callable[[Name], bool]) -> list[Name]:
    """Return the newest models of each maker that have a price, the highest version of each family, highest first."""
    best: dict[Name, tuple[Version, Name]] = {}
    for each in names:
        own = each.model.startswith(MAKERS.get(each.provider, ()))
        family = family_of(each.model) if own else None
        if family is None:
            continue
        key = Name(each.provider, family.family)
        newer = key not in best or (family.version, -len(each.model)) > (best[key][0], -len(best[key][1].model))
        if newer and has_price(each):
            best[key] = (family.version, each)
    chosen: list[Name] = []
    for maker in MAKERS:
        of_maker = sorted((found for key, found in best.items() if key.provider == maker), key=_order)
        chosen += [name for _, name in of_maker[:EACH]]
    return chosen


def _order(found: tuple[Version, Name]) -> tuple[Decimal, int, str]:
    (version, day), name = found
    return -version, -day, name.model
