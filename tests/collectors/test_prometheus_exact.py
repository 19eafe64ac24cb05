"""A backend that matches names only exactly (Google's): the same readings, at the times of the scrapes."""

from __future__ import annotations

from typing import Any

import httpx

from tests.collectors.prometheus_api import answer, result, source
from tests.collectors.reading import totals
from tests.fakes import START
from tests.recordings import PAYLOADS

URL = "https://monitoring.googleapis.com/v1/projects/p/location/global/prometheus"
TARGET = {"job": "vllm", "instance": "llama-0:8000", "cluster": "c", "namespace": "ml"}


def vector(scraped: float, asked: float) -> bytes:
    page = (PAYLOADS / "vllm/0.20.0.txt").read_bytes()
    rows: list[dict[str, Any]] = []
    for each in result(TARGET, {scraped: page}):
        labels = {"infertop_name": each["metric"]["__name__"], **each["metric"]}
        rows.append({"metric": labels, "value": [asked, each["values"][0][1]]})
    clock = {"infertop_name": "scraped", "model_name": "m", "engine": "0", **TARGET}
    return answer([*rows, {"metric": clock, "value": [asked, str(scraped)]}], "vector")


class Google:
    def __init__(self, *scrapes: float, names: object = None) -> None:
        self.scrapes = list(scrapes)
        self.names = ["up", "vllm:num_requests_running", "vllm:request_params_n_count", 7, "bad name"]
        self.names = self.names if names is None else names  # type: ignore[assignment]
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/label/__name__/values"):
            return httpx.Response(200, json={"status": "success", "data": self.names})
        said = httpx.QueryParams(request.content.decode())
        self.asked.append(said["query"])
        return httpx.Response(200, content=vector(self.scrapes.pop(0), float(said["time"])))


async def test_every_name_is_asked_for_by_itself_and_all_in_one_question() -> None:
    backend = Google(START - 20)
    batch = await source(backend, URL, match='cluster="c"').collect(START)
    (member,) = batch.members
    assert (member.name, member.kind) == ("vllm@llama-0:8000", "vllm")
    assert totals(member.batches[0])["requests"] == 100
    assert member.batches[0].ts == START - 20
    (query,) = backend.asked
    assert "=~" not in query
    assert query.split(" or ") == [
        f'label_replace({vector}, "infertop_name", "{name}", "", "")'
        for vector, name in (
            ('vllm:num_requests_running{cluster="c"}', "vllm:num_requests_running"),
            ('vllm:request_params_n_count{cluster="c"}', "vllm:request_params_n_count"),
            ('timestamp(vllm:num_requests_running{cluster="c"})', "scraped"),
        )
    ]


async def test_the_same_scrape_again_says_nothing_new() -> None:
    reader = source(Google(START - 20, START - 20, START + 10), URL)
    polls = [(await reader.collect(START + 15 * at)).members[0].batches for at in range(3)]
    assert [[batch.ts for batch in batches] for batches in polls] == [[START - 20], [], [START + 10]]


async def test_names_that_are_no_such_list_are_none() -> None:
    for names in ({"a": 1}, [], ["node_load1"]):
        backend = Google(START, names=names)
        backend.scrapes = [START]
        await source(backend, URL).collect(START)
        assert backend.asked[0].startswith("label_replace(infertop_nothing,")
