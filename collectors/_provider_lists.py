"""Reading lists of an admin API beside its usage: what is not offered is empty, what is refused is told once."""

from __future__ import annotations

from collectors._provider_pages import Cursor, Params, Row, document, paged
from collectors._provider_root import Rooted
from collectors._provider_standing import is_pause
from infertop.engine.collector import Unavailable

_NOT_FOUND = 404


class Lists:
    """One round of lists. `whose` is the provider ("OpenAI's"); `notes` says what was odd or refused."""

    def __init__(self, api: Rooted, whose: str) -> None:
        self._api = api
        self._whose = whose
        self._good = 0
        self._refused: Unavailable | None = None
        self.notes: list[str] = []

    async def rows(self, path: str, params: Params, cursor: Cursor) -> list[Row]:
        """Return all of a list; raise Unavailable where the host itself does not answer or wants a pause."""
        try:
            found = await paged(self._api.pages(path), params, f"{self._whose} {path}", cursor)
        except Unavailable as error:
            self._failed(error)
            return []
        self._good += 1
        self.notes += filter(None, [found.note])
        return found.rows

    async def one(self, path: str, field: str) -> Row:
        """Return an object that has a field, empty where there is none; raise Unavailable as `rows` does."""
        try:
            found = document((await self._api.get(path)).body, f"{self._whose} {path}")
        except Unavailable as error:
            self._failed(error)
            return {}
        self._good += field in found
        return found if field in found else {}

    def note(self) -> str:
        """Return what is to be said; raise Unavailable where all that is there was refused."""
        if self._refused is not None and not self._good:
            raise self._refused
        return self._refused.sentence if self._refused is not None else next(iter(self.notes), "")

    @property
    def whole(self) -> bool:
        """Whether nothing was refused or left out."""
        return self._refused is None and not self.notes

    def _failed(self, error: Unavailable) -> None:
        if error.status is None or is_pause(error):
            raise error
        if error.status != _NOT_FOUND:
            self._refused = self._refused or error
