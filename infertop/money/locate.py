"""Which pricing.toml is used, and what one is believed that may belong to somebody else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import infertop
from infertop.money.settings import Alert, Settings, Source
from infertop.money.source_section import is_loopback
from infertop.readings.safe import safe

NAME = "pricing.toml"
VARIABLE = "INFERTOP_PRICING"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where pricing.toml may be. One that was asked for by name must be there; not all are `trusted`."""

    path: Path
    asked_for: bool = False
    trusted: bool = True

    def there(self) -> bool:
        """Tell whether there is a file."""
        return os.path.isfile(self.path)


def candidates(option: str | None, environ: Mapping[str, str], folder: Path) -> tuple[Candidate, ...]:
    """Return the places in the order in which they count: the first one that is there is used, nothing is merged.

    `option` is what --pricing says, `folder` the current directory, whose file may have come with a checkout.
    """
    asked = option or environ.get(VARIABLE)
    if asked:
        return (Candidate(Path(asked).expanduser(), asked_for=True),)
    return (
        Candidate(_configuration_folder() / NAME),
        Candidate(folder / NAME, trusted=False),
        *(Candidate(path) for path in _shipped()),
    )


def configuration_file() -> Path:
    """Return where a user's own pricing.toml belongs."""
    return _configuration_folder() / NAME


def _configuration_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path("infertop", appauthor=False)


def _shipped() -> tuple[Path, Path]:
    """Return where the file is in an installation, and in a checkout."""
    package = Path(infertop.__file__).parent
    return package / NAME, package.parent / NAME


def distrust(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Return what may be taken from a file of unknown origin, and a sentence for each thing that was left out.

    Prices and budgets are taken, and sources on this machine without a key. They are marked, so that they get none.
    Nobody is told of alerts: a webhook would be told what is spent here, and a command is a program to be run.
    """
    kept = tuple(replace(each, trusted=False) for each in settings.sources if not _doubt(each))
    notices = tuple(
        f"{safe(each.where)}: source {safe(each.name, 80)} is ignored, because {doubt}: to use it, move the file to"
        f" {safe(configuration_file())} or name it with --pricing"
        for each in settings.sources
        if (doubt := _doubt(each))
    )
    return replace(settings, sources=kept, alert=_untold(settings.alert)), notices + _alert_notices(settings.alert)


def _untold(alert: Alert) -> Alert:
    return replace(alert, webhook="", webhook_env="", webhook_file="", format="", command=(), where=())


def _alert_notices(alert: Alert) -> tuple[str, ...]:
    return tuple(
        f"{safe(where)}: alert.{key} is ignored, because this folder's file may not be yours: to use it, move the file"
        f" to {safe(configuration_file())} or name it with --pricing"
        for key, where in alert.where
    )


def _doubt(source: Source) -> str:
    """Return why a source of a file of unknown origin is not read, or nothing."""
    if source.kind == "ssh":
        return "it starts ssh and this folder's file may not be yours"
    if source.key_env or source.key_file:
        return "it uses a key and this folder's file may not be yours"
    if not source.url or not is_loopback(source.url):
        return "it is not on this machine and this folder's file may not be yours"
    return ""
