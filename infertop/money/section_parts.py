"""What several sections of pricing.toml have in common."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal

from infertop.money import checks
from infertop.money.schema import BROKEN, Key, Reader, shown
from infertop.money.toml_lines import Path
from infertop.money.toml_text import heading

FREE_OR_MORE = Key(checks.number(least=Decimal(0)))
ABOVE_0 = Key(checks.number(above=Decimal(0)))
DAY = Key(checks.day)


def as_it_is(raw: object) -> object:
    """Take any value: it is looked at apart."""
    return raw


def dotted(path: Path) -> Callable[[str, object], str]:
    """Return what to say of [model.gpt-4.1], which TOML reads as the table "1" in model.gpt-4."""

    def hint(name: str, value: object) -> str:
        whole = heading(str(path[0]), shown(f"{path[-1]}.{name}"))
        return f"; a name with a dot needs quotes: {whole}" if isinstance(value, dict) else ""

    return hint


def repeated(entries: Iterable[tuple[Path, Hashable]]) -> list[tuple[Path, Path]]:
    """Return the paths of entries whose key another one has already, each with that other's path."""
    first: dict[Hashable, Path] = {}
    pairs = [(path, first.setdefault(key, path)) for path, key in entries]
    return [(path, other) for path, other in pairs if path != other]


def no_two_names(reader: Reader, section: str, names: Iterable[str | None]) -> None:
    """Note every entry of an array of tables whose name another one has already; None has no name."""
    entries = [((section, index), name) for index, name in enumerate(names) if name is not None]
    for path, other in repeated(entries):
        name = shown(next(each for at, each in entries if at == path))
        reader.wrong(path, f'has the name "{name}" of {section}[{other[-1]}] ({reader.where(other)})')


def name_of(raw: object) -> str | None:
    """Return the name that a table gives itself, None where it has none that could be read."""
    name = raw.get("name") if isinstance(raw, dict) else None
    return name if isinstance(name, str) and name != BROKEN else None
