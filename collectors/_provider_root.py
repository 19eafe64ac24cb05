"""Where a provider's API begins: with or without its version in the path, as the url of the source has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infertop.engine.http import Http, Params, Reply

_NOT_FOUND = 404
_LONGEST = 200
_ORGANIZATION = ("openai-organization", "anthropic-organization-id")


class Rooted:
    """Asks under the first of `roots` ("", "/v1") that knows a path, and from then on under that one alone.

    `organization` is whose the key is, as far as answers have said.
    """

    def __init__(self, http: Http, roots: Sequence[str]) -> None:
        self._http = http
        self._roots = list(roots)
        self.organization = ""

    async def get(self, path: str, params: Params | None = None, accept_status: Collection[int] = ()) -> Reply:
        """Return the answer as `Http.get` does."""
        reply = await self._get(path, params, accept_status)
        said = next(filter(None, (reply.headers.get(name) for name in _ORGANIZATION)), "")
        self.organization = said[:_LONGEST] or self.organization
        return reply

    def pages(self, path: str) -> Callable[[Params], Awaitable[bytes]]:
        """Return what asks `path` for one page by its parameters, and returns its body."""

        async def ask(params: Params) -> bytes:
            return (await self.get(path, params)).body

        return ask

    async def _get(self, path: str, params: Params | None, accept_status: Collection[int]) -> Reply:
        for root in self._roots[:-1]:
            reply = await self._http.get(root + path, params, accept_status={*accept_status, _NOT_FOUND})
            if reply.status != _NOT_FOUND:
                self._roots = [root]
                return reply
        reply = await self._http.get(self._roots[-1] + path, params, accept_status=accept_status)
        if reply.status != _NOT_FOUND:
            self._roots = self._roots[-1:]
        return reply

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Return the answer as `Http.post` does, under the root that a `get` has found."""
        return await self._http.post(self._roots[0] + path, body, headers=headers)


def roots_of(url: str, version: str = "/v1", *, usual: str = "") -> tuple[str, ...]:
    """Return where the API may begin under a source's url; `usual` is the one that the vendor's SDK takes.

    A url that ends with the version has it already.
    """
    if url.rstrip("/").endswith(version):
        return ("",)
    return (usual, *({"", version} - {usual}))
