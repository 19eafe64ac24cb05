"""What counts a model's tokens here: its vocabulary where it is or may be fetched, else its characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from infertop.commands.token_count import Counter, by_characters
from infertop.commands.vocabulary import Cut, NoVocabulary, Vocabulary, cut_of, download, find, load, own_folder
from infertop.readings.safe import safe

VOCABULARY, STAND_IN, CHARACTERS = "vocabulary", "stand-in", "characters"
# How far the count may be off: what the makers of Claude and Gemini publish no vocabulary of was measured at 3 to 13 %
# more tokens. The estimate by characters has no bound, only shares of the texts that it was held against: single lines
# were off by 36 %, a Chinese phrase said again and again by 66 %.
MARGINS: Mapping[str, float | None] = {VOCABULARY: 0.0, STAND_IN: 0.2, CHARACTERS: None}
HALF_WITHIN, NINE_OF_TEN_WITHIN = 0.04, 0.2


@dataclass(frozen=True, slots=True)
class Counting:
    """How a model's tokens are counted: `method` is one of MARGINS."""

    cut: Cut
    method: str
    count: Counter

    @property
    def margin(self) -> float | None:
        """How far the count may be off, as a share of it; None where that has no bound."""
        return MARGINS[self.method]

    @property
    def within(self) -> dict[str, float] | None:
        """How far an estimate by characters is off from the encoding, as shares, by how many texts; None for others."""
        if self.method != CHARACTERS:
            return None
        return {"half_of_texts": HALF_WITHIN, "nine_of_ten_texts": NINE_OF_TEN_WITHIN}

    def sentence(self) -> str:
        """Say how it was counted, for the person at the screen."""
        name, size = self.cut.encoding, self.cut.vocabulary.megabytes
        if self.method == VOCABULARY:
            return f"counted with {name}"
        instead = "" if self.cut.own else f" with {name} in place of the model's own, unpublished"
        if self.margin is not None:
            return f"~ counted{instead}: +-{_percent(self.margin)}"
        return (
            f"~ rough, estimated by characters{instead}: half of texts come out within {_percent(HALF_WITHIN)}, "
            f"nine of ten within {_percent(NINE_OF_TEN_WITHIN)}, a short or repetitive one may be off by half or more; "
            f"{self.cut.vocabulary.name} is missing (--download: {size})"
        )


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


class Counters:
    """The counters of some models. `failed` are sentences about what was to be downloaded and could not be."""

    def __init__(self, *, fetch: bool, ask: bool) -> None:
        self._fetch = fetch
        self._ask = ask
        self._counters: dict[str, Counter | None] = {}
        self._refused: set[str] = set()
        self.failed: list[str] = []

    def of(self, models: Iterable[str]) -> Iterator[Counting]:
        """Iterate over how each model's tokens are counted."""
        for model in models:
            cut = cut_of(model)
            if cut.encoding not in self._counters:
                self._counters[cut.encoding] = self._counter(cut, model)
            counter = self._counters[cut.encoding]
            if counter is None:
                yield Counting(cut, CHARACTERS, by_characters(cut.vocabulary.name))
            else:
                yield Counting(cut, VOCABULARY if cut.own else STAND_IN, counter)

    def _counter(self, cut: Cut, model: str) -> Counter | None:
        folder = find(cut.vocabulary)
        if folder is None and self._wanted(cut.vocabulary, model):
            try:
                download(cut.vocabulary, own_folder())
            except NoVocabulary as error:
                self.failed.append(safe(error))
                self._refused.add(cut.vocabulary.name)
            folder = find(cut.vocabulary)
        if folder is None:
            return None
        encoding = load(cut, folder)
        # Special tokens in a file are text like any other.
        return lambda text: len(encoding.encode_ordinary(text))

    def _wanted(self, vocabulary: Vocabulary, model: str) -> bool:
        if vocabulary.name in self._refused:
            return False
        if not self._fetch and self._ask and not _agreed(vocabulary, model):
            self._refused.add(vocabulary.name)
            return False
        return self._fetch or self._ask


def _agreed(vocabulary: Vocabulary, model: str) -> bool:
    """Ask on the terminal whether the vocabulary may be downloaded."""
    sys.stderr.write(
        f"Counting the tokens of {safe(model, 60)} needs tiktoken's vocabulary {vocabulary.name}:\n"
        f"{vocabulary.megabytes} from {urlsplit(vocabulary.url).hostname}, kept in\n{safe(own_folder())}.\n"
        "Without it they are estimated by characters. Download it? [y/N] "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
