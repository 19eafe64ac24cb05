"""The snapshot of list prices that is shipped, or a newer one that was refreshed into the user's data folder."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from infertop.money.book.check import LARGEST, parse_snapshot, parse_text, version_of
from infertop.money.book.corrections import corrections
from infertop.money.book.listing import Listing
from infertop.readings.safe import safe

FILE = "prices.json"
_SHIPPED = Path(__file__).parent.parent / "data" / FILE


@cache
def shipped() -> Listing:
    """Return the snapshot that is shipped with infertop."""
    content = _SHIPPED.read_bytes()
    # Its tests look at every part of it, so that it is not done again at every start.
    return Listing(parse_text(content), content, corrections())


def newest(folder: Path | None) -> Listing:
    """Return the snapshot refreshed into `folder` where that is of a newer version than the one shipped, else this.

    A refreshed snapshot that is broken is ignored, see `trouble`.
    """
    found = _refreshed(folder)[0] if folder else None
    ours = shipped()
    return found if found and version_of(found.version) > version_of(ours.version) else ours


def trouble(folder: Path | None) -> str:
    """Return why the snapshot in `folder` is ignored and what to do, empty where it is not or there is none."""
    return _refreshed(folder)[1] if folder else ""


def _refreshed(folder: Path) -> tuple[Listing | None, str]:
    path = folder / FILE
    try:
        found = path.stat()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, _ignored(path, error.strerror or "it cannot be read")
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _mtime_ns: int, _size: int) -> tuple[Listing | None, str]:
    """Read a snapshot; the file's time and size tell one state of it from the next."""
    try:
        if not path.is_file():
            return None, _ignored(path, "it is no file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        return Listing(parse_snapshot(content), content, corrections()), ""
    except OSError as error:
        return None, _ignored(path, error.strerror or "it cannot be read")
    except ValueError as error:
        return None, _ignored(path, str(error))


def _ignored(path: Path, why: str) -> str:
    return (
        f"{safe(path)}: these refreshed prices are ignored, because {safe(why, 200)}; "
        f"run `infertop prices --refresh`, or delete the file"
    )
