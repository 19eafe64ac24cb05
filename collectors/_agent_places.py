"""Where agents keep their logs on this machine: what the environment says, else the usual folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from infertop.engine.collector import Option, SourceConfig

FOLDERS = Option("folders", "where its logs are, in place of the usual folders")


def home(environ: Mapping[str, str], *parts: str) -> str:
    """Return a path below the home folder; empty where there is none."""
    base = environ.get("HOME") or os.path.expanduser("~")
    return os.path.join(base, *parts) if os.path.isabs(base) else ""


def listed(text: str | None, *inside: str) -> Iterator[str]:
    """Yield the folders of a comma-separated list, and what is inside each."""
    for each in (text or "").split(","):
        if each.strip():
            yield os.path.join(os.path.expanduser(each.strip()), *inside)


def folders_of(config: SourceConfig, usual: Iterator[str]) -> tuple[str, ...]:
    """Return the folders that a source names, else the usual ones; raise ValueError where it names none that can be.

    Of a file that may be anybody's no folder is taken.
    """
    said = config.options.get("folders")
    if said is None or not config.trusted:
        return tuple(dict.fromkeys(each for each in usual if each))
    each_said = (said,) if isinstance(said, str) else said
    if not isinstance(each_said, list | tuple) or not all(isinstance(each, str) and each for each in each_said):
        raise ValueError('folders must be a list of paths, as in folders = ["~/.claude/projects"]')
    return tuple(dict.fromkeys(os.path.expanduser(each) for each in each_said))
