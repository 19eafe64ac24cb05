"""How LiteLLM's page is asked for: where it is, filtered or whole, and what is said where there is none."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

from infertop.engine.collector import State, Unavailable
from tests.collectors.litellm_pages import (
    PAGE,
    QUIET,
    TOKENS,
    line,
    page,
)
from tests.collectors.reading import payload, source, totals


class Proxy:
    """A proxy whose page is at `at`, the other spelling redirecting to it; several `workers` know no filter."""

    def __init__(self, at: str = "/metrics/", body: bytes = PAGE, workers: bool = False) -> None:
        self.at, self.body, self.workers = at, body, workers
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        names = request.url.params.get_list("name[]")
        self.asked.append(f"{request.url.path}{'?' if names else ''}")
        if request.url.path != self.at:
            return httpx.Response(307, headers={"location": self.at})
        if not names:
            return httpx.Response(200, content=self.body)
        wanted = tuple(f"{name}{end}".encode() for name in names for end in ("{", " "))
        kept = [] if self.workers else [each + b"\n" for each in self.body.split(b"\n") if each.startswith(wanted)]
        return httpx.Response(200, content=b"".join(kept))


@pytest.mark.parametrize(("at", "asked"), [("/metrics/", 1), ("/metrics", 2)])
async def test_the_page_is_found_under_either_name_and_asked_for_what_is_needed(at: str, asked: int) -> None:
    proxy = Proxy(at)
    collector = source("litellm", answer=proxy)
    await collector.collect(1.0)
    assert len(proxy.asked) == asked
    proxy.asked.clear()
    batch = await collector.collect(2.0)
    assert proxy.asked == [f"{at}?"]
    assert "output_tokens" in totals(batch)


async def test_where_the_filter_hides_everything_the_whole_page_is_read_from_then_on() -> None:
    proxy = Proxy(workers=True)
    collector = source("litellm", answer=proxy)
    first, again = await collector.collect(1.0), await collector.collect(2.0)
    assert proxy.asked == ["/metrics/?", "/metrics/", "/metrics/"]
    assert totals(first).keys() == totals(again).keys() > {"output_tokens"}


async def test_a_proxy_that_nobody_asked_yet_is_up_and_says_nothing() -> None:
    batch = await source("litellm", answer=Proxy(body=QUIET)).collect(1.0)
    assert batch.series == ()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, b"", 'there is no 127.0.0.1:9/metrics/ (HTTP 404): LiteLLM serves it with callbacks: ["prometheus"]'),
        (200, b"", "serves no litellm metrics"),
        (200, payload("vllm/0.33.0.txt"), "serves no litellm metrics"),
        (200, b"<html>litellm_</html>", "a web page"),
        (200, b'{"detail": "litellm_"}', "JSON"),
    ],
)
async def test_another_page_is_unavailable_with_a_sentence(status: int, body: bytes, sentence: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await source("litellm", answer=lambda _request: httpx.Response(status, content=body)).collect(1.0)
    assert sentence in caught.value.sentence


async def test_a_proxy_that_wants_a_key_says_so() -> None:
    with pytest.raises(Unavailable) as caught:
        await source("litellm", answer=lambda _request: httpx.Response(401)).collect(1.0)
    assert caught.value.state is State.AUTH


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_a_page_of_tens_of_megabytes_is_read_in_bounded_memory(packed: bool) -> None:
    agent = "x" * 3000
    both = ((TOKENS, {}), ("litellm_other_metric", {"agent": agent}))
    body = page(*(line(name, 1, user=f"u{i}", **more) for i in range(10_000) for name, more in both))
    assert len(body) > 30_000_000
    sent, encoding = (gzip.compress(body, 1), "gzip") if packed else (body, "identity")

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(sent), 2**16):
            yield sent[at : at + 2**16]

    headers = {"content-encoding": encoding}
    collector = source("litellm", answer=lambda _request: httpx.Response(200, headers=headers, content=pieces()))
    await collector.collect(1.0)
    tracemalloc.start()
    batch = await collector.collect(2.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert totals(batch) == {"output_tokens": 0}
    assert peak < 8_000_000
