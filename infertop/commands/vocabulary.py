"""Which vocabulary a model's text is cut into tokens by, and where its file is.

Nothing is downloaded without being asked for: the file is looked for in TIKTOKEN_CACHE_DIR, in infertop's own cache
folder and where tiktoken keeps its own, and checked against the sum that tiktoken expects.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infertop.whole_file import write_whole

if TYPE_CHECKING:
    from tiktoken import Encoding

VARIABLE = "TIKTOKEN_CACHE_DIR"
_LONGEST = 20_000_000
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A file of tiktoken's: its name there, URL, SHA-256 and size."""

    name: str
    url: str
    sha256: str
    megabytes: str

    @property
    def file(self) -> str:
        """What tiktoken calls the file in its cache."""
        return hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()


_HOST = "https://openaipublic.blob.core.windows.net/encodings"
O200K = Vocabulary(
    "o200k_base",
    f"{_HOST}/o200k_base.tiktoken",
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "3.6 MB",
)
CL100K = Vocabulary(
    "cl100k_base",
    f"{_HOST}/cl100k_base.tiktoken",
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "1.7 MB",
)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a model's text is cut: by which encoding of which file; `own` is False where it stands in for another."""

    encoding: str
    vocabulary: Vocabulary
    own: bool


_O200K, _CL100K = Cut("o200k_base", O200K, True), Cut("cl100k_base", CL100K, True)
# The first that matches a model's name without its maker and "ft:".
_CUTS = tuple(
    (re.compile(pattern), cut)
    for pattern, cut in (
        (r"gpt-oss", Cut("o200k_harmony", O200K, True)),
        (r"(chatgpt|gpt)-4o|gpt-4\.[15]|gpt-5|o[134](?![a-z0-9])|gpt-(audio|realtime)|codex", _O200K),
        (r"gpt-4(?![.\w])|gpt-3\.?5|text-embedding-|(davinci|babbage)-002", _CL100K),
    )
)
_STAND_IN = Cut("o200k_base", O200K, False)


class NoVocabulary(Exception):  # noqa: N818 - it reads as the sentence it carries
    """A vocabulary cannot be had; the text is a sentence for the person at the screen."""


def cut_of(model: str) -> Cut:
    """Return how a model's text is cut, o200k_base standing in for those whose makers do not say."""
    name = model.lower().rpartition("/")[2].removeprefix("ft:")
    return next((cut for pattern, cut in _CUTS if pattern.match(name)), _STAND_IN)


def folders() -> Iterator[Path]:
    """Iterate over where a vocabulary may be."""
    if chosen := os.environ.get(VARIABLE):
        yield Path(chosen)
    yield own_folder()
    yield Path(os.environ.get("DATA_GYM_CACHE_DIR") or Path(tempfile.gettempdir()) / "data-gym-cache")


def own_folder() -> Path:
    """Return where infertop keeps what it downloads."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("infertop", appauthor=False) / "tiktoken"


def find(vocabulary: Vocabulary) -> Path | None:
    """Return the folder that has the file, whole and as tiktoken expects it, or None."""
    return next((folder for folder in folders() if _whole(folder / vocabulary.file, vocabulary)), None)


def _whole(file: Path, vocabulary: Vocabulary) -> bool:
    try:
        if not file.is_file() or file.stat().st_size > _LONGEST:
            return False
        return hashlib.sha256(file.read_bytes()).hexdigest() == vocabulary.sha256
    except (OSError, ValueError):
        return False


def load(cut: Cut, folder: Path) -> Encoding:
    """Return the encoding, read from the folder that `find` gave."""
    os.environ[VARIABLE] = str(folder)
    import tiktoken

    return tiktoken.get_encoding(cut.encoding)


def download(vocabulary: Vocabulary, folder: Path) -> None:
    """Fetch a vocabulary from where tiktoken has it into `folder`; raise NoVocabulary where that fails."""
    import urllib.request
    from http.client import HTTPException

    try:
        with urllib.request.urlopen(vocabulary.url, timeout=_SECONDS) as answer:
            content = answer.read(_LONGEST)
        if hashlib.sha256(content).hexdigest() != vocabulary.sha256:
            raise NoVocabulary(f"{vocabulary.url} is not the file that tiktoken expects: it is not kept")
        write_whole(folder / vocabulary.file, content)
    except (OSError, HTTPException) as error:
        why = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise NoVocabulary(f"{vocabulary.name} could not be downloaded: {why}") from None
