"""What a kind of system is: how it is named, made, recognised and set up. One constant in each collector's file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infertop.engine.collector import Collector, Option, SourceConfig

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

Make = Callable[[SourceConfig, "Http | None", "Clock"], Collector]


@dataclass(frozen=True, slots=True)
class Api:
    """A provider's API: where it is, unless the source says otherwise, and how a key is given to it.

    The first of `key_env` that is set in the environment is the key where the source names none; `what` says which key
    is needed. It is sent as `key_header`, with `headers` that never change. Without `key_env` the vendor's own library
    finds the credentials: `module` is imported for that, which the extra `extra` of infertop brings. A `pair` is
    a public and a secret key, both needed, in two variables or in one as "public:secret". `url_env` are the variables
    that usually say where one's own server is.
    """

    url: str
    key_env: tuple[str, ...]
    what: str
    key_header: str = "Authorization"
    headers: tuple[tuple[str, str], ...] = ()
    timeout_seconds: float = 20.0
    pair: bool = False
    url_env: tuple[str, ...] = ()
    extra: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A system that can be read, as `[[source]] kind = "<name>"` names it; `help` is one sentence.

    `make` gets an Http bound to the source's origin, or None where the kind has no URL. It raises ValueError with a
    sentence where an option is wrong. `server` says how a running one is found on this machine, None where it is not
    found by a process. Readings are no fresher than `least_seconds`: asking more often shows nothing new. A `gateway`
    passes on what others serve: what it counts, they count too, and it carries no cost of the machine it runs on.
    `folders` says, by the environment, where a kind that is found by its files keeps them on this machine.
    A `fleet` reads others, each of which is a source of its own. `scheme` is what its URL begins with.
    `says` are the metrics of the registry that it can tell of a model: what is not among them is unknown for it.
    `counts_at_end` says that its tokens are counted when a request ends. `caveats` are sentences about its figures, for
    who looks at one of its models. `api` is that of a provider's account. `unread` says why nothing can be read of it,
    and what can be read instead. What `observes` only logs requests to others.
    """

    name: str
    help: str
    make: Make
    options: tuple[Option, ...] = ()
    server: Server | None = None
    api: Api | None = None
    least_seconds: float = 0.0
    gateway: bool = False
    folders: Callable[[Mapping[str, str]], Iterable[str]] | None = None
    fleet: bool = False
    scheme: str = "http"
    says: frozenset[str] = frozenset()
    counts_at_end: bool = False
    caveats: tuple[str, ...] = ()
    unread: str = ""
    observes: bool = False

    @property
    def port(self) -> int | None:
        """The port that is usual for it, None where it is not read over HTTP."""
        return self.server.default_ports[0] if self.server else None

    @property
    def path(self) -> str:
        """Where on its origin the metrics are, empty where it is not read over HTTP."""
        return self.server.probe_paths[0] if self.server else ""


@dataclass(frozen=True, slots=True)
class Server:
    """How a running server of a kind is recognised: by its command, then by what its endpoint answers.

    `command` is searched in the arguments joined by spaces. `confirm` sees an answer's status, headers (lower-case
    names) and body, and says whether only this kind answers so. The first of `model_options` that is given names the
    model, else the word after `model_after`. `runs` are kinds whose servers it starts itself as its workers, `fronts`
    those that work for it and are started apart from it. `further_ports` are (option of the source, option of the
    command, port without it) of what else its collector asks.
    """

    kind: str
    command: re.Pattern[str]
    confirm: Callable[[int, Mapping[str, str], bytes], bool]
    default_ports: tuple[int, ...]
    probe_paths: tuple[str, ...] = ("/metrics",)
    port_options: tuple[str, ...] = ("--port",)
    model_options: tuple[str, ...] = ()
    model_after: str = ""
    runs: tuple[str, ...] = ()
    fronts: tuple[str, ...] = ()
    further_ports: tuple[tuple[str, str, int], ...] = ()

    def matches(self, argv: Sequence[str]) -> bool:
        """Say whether this command starts the server."""
        return self.command.search(" ".join(argv)) is not None

    def port(self, argv: Sequence[str]) -> int | None:
        """Return the port that the command names, None where it names none."""
        return _port(_option(_words(argv), self.port_options))

    def further(self, argv: Sequence[str]) -> dict[str, int]:
        """Return the further ports of a server that was started so, by the options of its source."""
        words = _words(argv)
        return {own: _port(_option(words, (name,))) or usual for own, name, usual in self.further_ports}

    def model(self, argv: Sequence[str]) -> str | None:
        """Return the name under which the command serves its model, None where it does not say."""
        words = _words(argv)
        return _option(words, self.model_options) or _word_after(words, self.model_after)


def _port(said: str | None) -> int | None:
    return int(said) if said and said.isascii() and said.isdigit() and 0 < int(said) < 65536 else None


def _words(argv: Sequence[str]) -> list[str]:
    # A shell around the server (`bash -c "vllm serve ..."`) holds the whole command in one argument.
    return [word for argument in argv for word in argument.split()]


def _option(words: Sequence[str], names: Sequence[str]) -> str | None:
    for name in names:
        for i, word in enumerate(words):
            if word == name and i + 1 < len(words):
                return words[i + 1]
            if word.startswith(name + "="):
                return word[len(name) + 1 :]
    return None


def _word_after(words: Sequence[str], before: str) -> str | None:
    for word, following in itertools.pairwise(words):
        if word == before and not following.startswith("-"):
            return following
    return None
