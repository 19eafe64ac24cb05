"""[[deployment]]: provisioned throughput, serverless GPU seconds and batch jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from infertop.money import checks
from infertop.money.deployment_terms import KEYS, batch, provisioned, serverless
from infertop.money.deployments.declared import KINDS, Deployment
from infertop.money.schema import BROKEN, Key, Reader, Table
from infertop.money.section_parts import DAY, name_of, repeated
from infertop.money.toml_lines import Path
from infertop.readings.model import LOCAL

_LIMIT = 1000
# What lines of the ledger are narrowed down by, besides provider and model.
_CONDITIONS = ("source", "project", "key")
# The sources that infertop itself names.
_TAKEN = ("nvml", "amd", "host")
_COMMON = {
    "name": Key(checks.text, required=True),
    "kind": Key(checks.choice(KINDS), required=True),
    "provider": Key(checks.text),
    "model": Key(checks.text, required=True),
    "counts": Key(checks.flag),
    "from": DAY,
    "until": DAY,
} | dict.fromkeys(_CONDITIONS, Key(checks.text))
_TERMS = {"provisioned": provisioned, "serverless": serverless, "batch": batch}


def read_deployments(reader: Reader, raw: Mapping[str, Any]) -> tuple[Deployment, ...]:
    """Read all [[deployment]] of a file; two may have one name where they begin on different days."""
    stated = reader.tables(raw.get("deployment"), ("deployment",))
    if len(stated) > _LIMIT:
        reader.wrong(("deployment",), f"has more than {_LIMIT} entries")
        return ()
    sources = raw.get("source")
    taken = {name_of(each) for each in sources} if isinstance(sources, list) else set()
    read = [(path, _deployment(reader, each, path, {*taken, *_TAKEN})) for path, each in stated]
    entries = [(path, each) for path, each in read if each]
    for path, other in repeated((path, (each.name, each.since)) for path, each in entries):
        index, line = other[-1], reader.where(other)
        reader.wrong(path, f"has the name and the date of deployment[{index}] ({line}): rename one, or set from")
    kinds: dict[str, str] = {}
    for path, each in entries:
        if kinds.setdefault(each.name, each.kind) != each.kind:
            reader.wrong((*path, "kind"), f"must be {kinds[each.name]}, as it is in the other entry of this name")
    return tuple(each for _, each in entries)


def _deployment(reader: Reader, raw: object, path: Path, taken: set[str | None]) -> Deployment | None:
    kind = raw.get("kind") if isinstance(raw, dict) else None
    known = kind if isinstance(kind, str) and kind in KINDS else None
    own = KEYS[known] if known else {name: Key(key.check) for keys in KEYS.values() for name, key in keys.items()}
    table = reader.table(raw, path, _COMMON | dict(own), _of_another_kind(known))
    if not table.good or known is None or not _sound(reader, table, known, taken):
        return None
    read = _TERMS[known](reader, table)
    if read is None:
        return None
    terms, where = read
    return Deployment(
        name=table.get("name"),
        provider=table.get("provider", LOCAL),
        model=table.get("model"),
        where=where,
        terms=terms,
        counts=table.get("counts", known == "provisioned"),
        conditions=tuple(table.given(*_CONDITIONS).items()),
        since=table.get("from"),
        until=table.get("until"),
    )


def _of_another_kind(known: str | None) -> Callable[[str, object], str]:
    """Return what to say of a key that only another kind of deployment takes."""

    def hint(name: str, value: object) -> str:
        kinds = [kind for kind in KINDS if kind != known and name in KEYS[kind]]
        quoted = " and ".join(f'"{each}"' for each in kinds)
        return f": only kind = {quoted} takes it" if known and kinds else ""

    return hint


def _sound(reader: Reader, table: Table, kind: str, taken: set[str | None]) -> bool:
    """Note what does not go together, whatever the kind."""
    path, since, until = table.path, table.get("from"), table.get("until")
    if "provider" not in table.values and not (kind == "batch" and "gpu" in table.values):
        reader.wrong(path, "needs provider")
    elif table.get("name") in taken and table.get("name") != BROKEN:
        reader.wrong((*path, "name"), "is the name of a source: the ledger could not tell them apart")
    elif since and until and until <= since:
        reader.wrong((*path, "until"), "must be after from: it is the first day without the deployment")
    elif table.get("counts") and kind != "provisioned":
        reader.wrong((*path, "counts"), f"must be false: what {kind} costs is shown beside what is spent, never added")
    else:
        return True
    return False
