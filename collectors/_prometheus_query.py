"""The queries: all that any engine's table reads, in one, narrowed to the jobs in which engines were found."""

from __future__ import annotations

import re
from collections.abc import Iterable

from collectors._prometheus_systems import pattern

_MATCHER = r'\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"\s*'
_MATCHERS = re.compile(rf"{_MATCHER}(?:,{_MATCHER})*,?\s*")
_MOST_JOBS = 200


def checked_match(text: str) -> str:
    """Return a label selector without its braces; raise ValueError with what is wrong where it is none."""
    bare = text.strip()
    if bare.startswith("{") and bare.endswith("}"):
        bare = bare[1:-1]
    if not _MATCHERS.fullmatch(bare):
        raise ValueError("""match must be a label selector, such as 'cluster="prod", namespace=~"ml-.*"'""")
    return bare.strip().rstrip(",")


def selector(names: Iterable[str], match: str = "", jobs: Iterable[str] = ()) -> str:
    """Return a selector of the samples with these names; `jobs` are all jobs they may be of, none for any."""
    parts = [f'__name__=~"{pattern(names)}"']
    known = sorted(jobs)
    if known and len(known) <= _MOST_JOBS:
        parts.append(f'job=~"{_quoted("|".join(map(_literal, known)))}"')
    return f"{{{','.join([*parts, match] if match else parts)}}}"


def _literal(text: str) -> str:
    """Return a regular expression (RE2) for a text: `re.escape` escapes what RE2 does not let be escaped."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
