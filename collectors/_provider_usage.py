"""Reading a usage report that tells buckets of time page by page, whoever it is of."""

from __future__ import annotations

from collectors._provider_account import Told
from collectors._provider_buckets import Say, told_of
from collectors._provider_pages import Pager, Params
from collectors._provider_plan import HOUR, Span
from collectors._provider_root import Rooted


class UsageReport:
    """Asks one API. `whose` is the provider's name as one says it; `start` and `end` are a bucket's fields of time."""

    def __init__(self, api: Rooted, whose: str, start: str, end: str) -> None:
        self._api = api
        self._whose = whose
        self._times = start, end
        self._pages = Pager()

    async def read(self, path: str, params: Params, span: Span, ts: float, say: Say) -> Told:
        """Return what was used in a span; `params` are what is asked beside the width and the number of buckets."""
        where = f"{self._whose} {path}"
        asked = {**params, "bucket_width": "1h" if span.width == HOUR else "1m", "limit": span.buckets}
        found = await self._pages.read(self._api.pages(path), asked, where)
        return told_of(found, span, ts, where, say, *self._times)
