"""What a look for engines says of itself: one line for all that was tried, what it answered, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from infertop.engine.asking import Outcome
from infertop.engine.candidates import Candidate, Candidates, Key
from infertop.engine.found import Found, Searched
from infertop.engine.pattern import program
from infertop.engine.processes import Process
from infertop.readings.safe import safe

_MOST_LINES = 20
_MOST_LISTED = 5
_NAME_IT = "if it is an engine, name it: --source KIND=URL"


def report(
    ports: Sequence[Candidate],
    outcomes: Mapping[Key, Outcome],
    present: Sequence[Found],
    survey: Candidates,
    left_out: Iterable[str],
) -> Iterator[Searched]:
    """Yield what was looked for: what was found first, then what was not."""
    where = f"listening ports: {survey.listeners}, processes: {survey.processes}"
    if survey.listeners is None:
        where = "the usual ports, as ports cannot be listed here"
    advice = "" if present else "start one, or name it: --source KIND=URL"
    yield Searched("engines", where, bool(present), advice)
    for engine in present:
        yield Searched(engine.kind, engine.url, True, engine.detail or engine.model or "")
    missing = [each for each in ports if outcomes[each.key].found is None]
    yield from (_expected(each, outcomes[each.key]) for each in missing if each.expected)
    yield from _others([each for each in missing if not each.expected], outcomes)
    for sentence in left_out:
        yield Searched("containers", "", False, sentence)
    servers = {each.pid for each in present}
    yield from _boxed(survey.strays) if survey.boxed else _strays(survey.strays, servers)


def _expected(each: Candidate, outcome: Outcome) -> Searched:
    kind, address = each.patterns[0].kind, _address(each)
    said = f"{each.where} runs, and this address"
    if outcome.said == "TLS":
        url = f"https://NAME:{each.port}"
        detail = (
            f"{said} speaks TLS, which is read only by a name that its certificate is for: "
            f'[[source]] kind = "{kind}" url = "{url}"'
        )
    elif each.closed:
        detail = f"{each.where} listens on the loopback of its container alone: start it with --host 0.0.0.0"
    elif outcome.settled:
        detail = f"{said} answers, but not like one ({outcome.said}): is it started with metrics?"
    else:
        busy = f" ({outcome.said})" if outcome.said.startswith("HTTP") else ""
        detail = f"{said} does not answer yet{busy}: it is asked again"
    return Searched(kind, address, False, detail)


def _others(ports: Iterable[Candidate], outcomes: Mapping[Key, Outcome]) -> Iterator[Searched]:
    """Yield the ports that were asked in vain, those of a process that answer alike in one line."""
    alike: dict[tuple[str, str], list[str]] = {}
    for each in ports:
        alike.setdefault((each.where, outcomes[each.key].said), []).append(each.key.authority)
    for (where, said), authorities in islice(alike.items(), _MOST_LINES):
        what, there = ("port", "") if len(authorities) == 1 else ("ports", " on all of them")
        answer = f"no HTTP{there}" if said == "nothing" else f"{said}{there}, and like no engine"
        yield Searched(what, _listed(authorities), False, f"{safe(where, 80)} answers {answer}: {_NAME_IT}")
    if len(alike) > _MOST_LINES:
        yield Searched(
            "ports", f"of {len(alike) - _MOST_LINES} more processes", False, "asked: none answers like an engine"
        )


def _address(each: Candidate) -> str:
    return f"http://{each.key.authority}"


def _boxed(strays: Mapping[int, tuple[Process, ...]]) -> Iterator[Searched]:
    """Yield the processes on GPUs that are told by numbers of the machine's own, which mean nothing in a container."""
    if strays:
        yield Searched(
            "GPU processes", _listed(map(str, sorted(strays))), False,
            "infertop runs in a container, where these numbers mean other processes: run it on the host (or with "
            '--pid=host), or say in a [[source]] which gpus = ["..."] it serves from',
        )  # fmt: skip


def _strays(strays: Mapping[int, tuple[Process, ...]], servers: set[int | None]) -> Iterator[Searched]:
    """Yield the processes on GPUs that belong to nothing that was found."""
    hidden = sorted(pid for pid, chain in strays.items() if not chain)
    if hidden:
        yield Searched(
            "GPU processes", _listed(map(str, hidden)), False,
            "not to be seen from here, as in a container, or of another user: run infertop on the host, as root where "
            'processes are hidden, or say in a [[source]] which gpus = ["..."] it serves from',
        )  # fmt: skip
    orphans: list[str] = []
    others: list[str] = []
    for pid, chain in sorted(strays.items()):
        if chain and not any(process.pid in servers for process in chain):
            named = f"{pid} ({safe(program(chain[0]) or 'name unknown', 60)})"
            (orphans if len(chain) == 1 or chain[1].pid == 1 else others).append(named)
    if orphans:
        yield Searched(
            "GPU processes", _listed(orphans), False,
            "on a GPU without the server that started them: if that has ended, they hold memory for nobody; end them",
        )  # fmt: skip
    if others:
        yield Searched(
            "GPU processes", _listed(others), False,
            "lead to no engine that infertop knows: what they hold is shown as held by nobody; name the engine, if it "
            "is one: --source KIND=URL",
        )  # fmt: skip


def _listed(names: Iterable[str]) -> str:
    each = list(names)
    more = f" and {len(each) - _MOST_LISTED} more" if len(each) > _MOST_LISTED else ""
    return ", ".join(each[:_MOST_LISTED]) + more
