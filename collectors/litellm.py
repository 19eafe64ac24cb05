"""LiteLLM's proxy: its metrics page, by model, and what each key, team and user of it spent.

Wire format: litellm/integrations/prometheus.py and types/integrations/prometheus.py of BerriAI/litellm. What decides:

- It passes on what providers and engines serve. Where they are read too it tells who spent, and is in no total.
- Its page is large, so that only the samples that are needed are asked for (`name[]`) and it is read as it comes; with
  several workers that filter gives nothing, and the whole page is read.
- Lines come and go (_litellm_lines.py): what is told here are increases since infertop began to read. What was before,
  and between two runs, is read back from the proxy's own books, where there is a key to them (_litellm_past.py).
- Who used what (provider, key, team, user, end user, tags) becomes statements, which the ledger is made of; the
  counters beside them, by model and provider, are for live rates alone.
- `spend_metric` is dollars at LiteLLM's own list of prices, also for models that somebody serves himself: computed,
  and no bill. `input_tokens` include cached and written ones, `output_tokens` reasoning; `cached_tokens_metric` is
  LiteLLM's own cache of answers and is not read.
- A refused request carries the name that the client made up: only names that were served stand for a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors._litellm_admin import LiteLlmAdmin
from collectors._litellm_books import Books
from collectors._litellm_labels import WANTED, About, Labels
from collectors._litellm_lines import Lines
from collectors._litellm_past import Past
from collectors._page import check_whole, complaint, metrics_url, needed, shown
from collectors.kind import Kind, Server
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.model import Batch, Covered, Statement

if TYPE_CHECKING:
    from infertop.engine.http import Http

_NOT_HERE = (301, 302, 307, 308, 404)
_HOW = 'LiteLLM serves it with callbacks: ["prometheus"] in its litellm_settings'
_REFRESH_SECONDS = 15.0
_AGAIN_SECONDS = 5.0


class LiteLlm:
    """Reads one proxy."""

    kind = "litellm"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url) + "/"
        self._filtered = True
        self._labels = Labels()
        self._lines: Lines[About] = Lines(WANTED, b"litellm_", self._labels.about)
        self._books = Books()
        self._admin = None
        base = self._url.removesuffix("/metrics/")
        self._past = Past(config.name, base, http)
        if config.trusted and (config.key_env or config.key_file):
            self._admin = LiteLlmAdmin(config.name, base, http)

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Go on from when the page was last read, and from what of the time in which it was not is told."""
        self._past.resume(bookmarks)

    async def collect(self, ts: float) -> Batch:
        """Read the page once, as it comes, and where there is a key a part of who is who."""
        batch = await self._page(ts)
        self._past.begin(ts)
        if self._admin is None:
            return replace(batch, bookmarks=self._past.bookmarks)
        rests = self._admin.rests(ts)
        account = await self._admin.read(ts)
        told = await self._past.read(ts, self._admin.users) if rests else None
        notes = (*batch.notes, *filter(None, (self._admin.note, self._past.note)))
        batch = replace(
            batch,
            account=account,
            notes=notes,
            bookmarks=self._past.bookmarks,
            again_seconds=_AGAIN_SECONDS if self._past.more else None,
        )
        if told is None:
            return batch
        return replace(
            batch,
            statements=(*batch.statements, *told.statements),
            covered=(*_spanned(batch.statements), *told.covered),
        )

    async def _page(self, ts: float) -> Batch:
        if self._filtered:
            await self._ask({"name[]": [*sorted(WANTED), "process_start_time_seconds"]})
            if self._lines.found:
                return self._batch(ts)
        await self._ask({})
        if self._lines.found:
            self._filtered = False  # the filter hid what is there
        return self._batch(ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it is not LiteLLM's."""
        self._lines.begin()
        self._lines.feed(body)
        return self._batch(ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _ask(self, params: Mapping[str, list[str]]) -> None:
        for _ in range(2):
            self._lines.begin()
            reply = await self._http.sifted(self._url, self._lines.feed, params, accept_status=_NOT_HERE)
            if reply.status < 300:
                return
            # Releases differ in which of the two is the page and which redirects to it.
            self._url = self._url[:-1] if self._url.endswith("/") else self._url + "/"
        raise Unavailable(f"there is no {shown(self._url)} (HTTP {reply.status}): {_HOW}")

    def _batch(self, ts: float) -> Batch:
        where, lines, books = shown(self._url), self._lines, self._books
        check_whole(where, lines.head + (b"\n" if lines.whole else b"..."))
        if not lines.marked:
            raise Unavailable(f"{where} serves no litellm metrics: {_HOW}")
        books.begin(ts)
        for about, amount in lines.grown(books.since or ts):
            books.add(about, amount, self._labels.served)
        notes = [complaint(where, lines.rejected, lines.first)] if lines.rejected else []
        if lines.beyond:
            notes.append(f"{where}: {lines.beyond} series are beyond what a page may have")
        series, values = books.rows()
        return Batch(
            self.config.name,
            ts,
            series,
            values,
            started=books.since,
            statements=tuple(books.statements(self.config.name, ts)),
            notes=tuple(notes),
            rejected=lines.rejected + lines.beyond,
        )


def _spanned(said: Sequence[Statement]) -> list[Covered]:
    """Return the span that a page's statements tell whole, none where there are none."""
    return [Covered(min(each.start for each in said), max(each.end for each in said))] if said else []


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE litellm_" in body


KIND = Kind(
    name="litellm",
    help="LiteLLM proxy: requests, tokens and spend by model, key, team and user; counts what nobody else tells",
    make=lambda config, http, _clock: LiteLlm(config, needed(config, http)),
    least_seconds=_REFRESH_SECONDS,
    gateway=True,
    server=Server(
        kind="litellm",
        command=re.compile(r"(?:^|[/\s])litellm(?:\s|$)"),
        confirm=_confirm,
        default_ports=(4000,),
        probe_paths=("/metrics/", "/metrics"),
    ),
)
