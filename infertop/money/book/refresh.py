"""A newer snapshot than the one shipped, made from a newer genai-prices package that the user has installed."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from infertop.money.book.check import parse_snapshot, version_of
from infertop.money.book.convert import convert
from infertop.money.book.load import FILE, newest
from infertop.whole_file import write_whole

PACKAGE = "genai-prices"
_INSTALL = f"`pipx inject infertop {PACKAGE}`, or `uv tool install infertop --with {PACKAGE}`"
_UPGRADE = f"`pipx runpip infertop install --upgrade {PACKAGE}`, or `uv tool upgrade infertop`"


class CannotRefreshError(Exception):
    """No newer snapshot could be made; the message says why and what to do."""


def refresh(folder: Path, today: date) -> str:
    """Write a snapshot of the installed genai-prices into `folder` where it is newer, and return what was done.

    The snapshot is dated `today`. Raises CannotRefreshError where the package is not installed, cannot be read, or the
    file cannot be written; the file that was there stays as it was.
    """
    try:
        installed = version(PACKAGE)
    except PackageNotFoundError as error:
        raise CannotRefreshError(
            f"{PACKAGE} is not installed beside infertop: install it with {_INSTALL}, and refresh again"
        ) from error
    here = newest(folder)
    try:
        newer = version_of(installed) > version_of(here.version)
    except ValueError as error:
        raise CannotRefreshError(f"{PACKAGE}: {error}; install a released version") from error
    if not newer:
        return (
            f"nothing to do: {PACKAGE} {installed} is installed, and the price book is of {here.version} "
            f"({here.name}); upgrade the package with {_UPGRADE}"
        )
    content = _snapshot(installed, today)
    try:
        write_whole(folder / FILE, content)
    except OSError as error:
        why = error.strerror or str(error)
        raise CannotRefreshError(
            f"{folder / FILE} cannot be written ({why}): the prices are still those of {here.name}"
        ) from error
    return f"prices are now those of {PACKAGE} {installed}, {newest(folder).name} (were {here.name}): {folder / FILE}"


def _snapshot(installed: str, today: date) -> bytes:
    try:
        content = convert(_providers(), installed, today.isoformat()).encode()
        parse_snapshot(content)
    except Exception as error:  # somebody else's code, of a version that nobody has seen
        raise CannotRefreshError(
            f"{PACKAGE} {installed} has its prices in a form that this infertop cannot read ({error}): "
            f"upgrade infertop, or install {PACKAGE} {newest(None).version}"
        ) from error
    return content


def _providers() -> Any:
    return import_module("genai_prices.data").providers
