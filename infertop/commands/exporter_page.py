"""The exporter's page: made when somebody asks, at most once a second, however many do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus

from infertop import __version__
from infertop.commands.exporter_access import Access
from infertop.commands.session import Session
from infertop.engine.serve import Refused, Request, Response
from infertop.history.counted import Counted, Counting
from infertop.history.files import is_written
from infertop.history.reader import Reader, Unreadable
from infertop.views.exported import Exported
from infertop.views.exposition import OPENMETRICS, TEXT, Family, page
from infertop.views.overview import overview

PATH = "/metrics"
_FRESH_SECONDS = 1.0
_FORMS = {"application/openmetrics-text": OPENMETRICS, "text/plain": TEXT}
_WEIGHT = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*")
_INDEX = b"infertop exporter: the figures are at /metrics\n"


class Pages:
    """Answers requests with the figures of `session` (None: not at hand now). It belongs to the loop."""

    def __init__(self, access: Access) -> None:
        self.session: Session | None = None
        self._access = access
        self._exported = Exported(__version__)
        self._counting = Counting()
        self._counted = Counted()
        self._reader: Reader | None = None
        self._making = asyncio.Lock()
        self._families: Sequence[Family] = ()
        self._made_at = float("-inf")

    async def answer(self, request: Request) -> Response:
        """Answer a request; raise Refused."""
        self._access.check(request.headers)
        if request.path == "/":
            return Response(HTTPStatus.OK, _INDEX)
        if request.path != PATH:
            raise Refused(HTTPStatus.NOT_FOUND, f"there is nothing here: the figures are at {PATH}")
        form = content_type(request.headers.get("accept", ""))
        async with self._making:
            families = await self._fresh()
        return Response(HTTPStatus.OK, page(families, form), form, {"Vary": "Accept"})

    async def follow(self, session: Session | None) -> None:
        """Show this session from now on."""
        async with self._making:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            self.session, self._made_at = session, float("-inf")

    async def _fresh(self) -> Sequence[Family]:
        loop = asyncio.get_running_loop()
        if loop.time() - self._made_at >= _FRESH_SECONDS:
            session = self.session
            if session is None:
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "infertop is starting: ask again", **{"Retry-After": "1"})
            self._counted = await asyncio.to_thread(self._count, session)
            view = overview(session.facts())
            self._families = self._exported.families(
                view, self._counted, session.counts, recording=is_recorded(session)
            )
            self._made_at = loop.time()
        return self._families

    def _count(self, session: Session) -> Counted:
        """Return the ledger's sums, those of before where it cannot be read now."""
        try:
            if self._reader is None:
                self._reader = Reader(session.store.path or session.store.uri)
            return self._reader.ask(self._counting.look)
        except Unreadable:
            return self._counted


def is_recorded(session: Session) -> bool:
    """Say whether somebody writes the history: this session, or the one that it looks at."""
    if session.recording is not None:
        return not session.summary.status
    return session.store.path is not None and is_written(session.store.path)


def content_type(accept: str) -> str:
    """Return the form that is asked for, OpenMetrics where both are as welcome or neither is named."""
    best, chosen = 0.0, OPENMETRICS
    for each in accept.split(","):
        kind, *parameters = each.split(";")
        form = _FORMS.get(kind.strip().lower())
        weights = [match[1] for word in parameters if (match := _WEIGHT.fullmatch(word.lower()))]
        weight = float(weights[0]) if weights else 1.0
        if form is not None and (weight > best or (weight == best > 0 and form is OPENMETRICS)):
            best, chosen = weight, form
    return chosen
