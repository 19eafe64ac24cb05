"""LiteLLM's proxy: its metrics page, by model, and what each key, team and user of it spent.

Wire format: litellm/integrations/prometheus.py and types/integrations/prometheus.py of BerriAI/litellm. What decides:

- It passes on what providers and engines serve, who count it too: by default it tells who spent, and is in no total.
- Its page is large, so that only the samples that are needed are asked for (`name[]`) and it is read as it comes; with
  several workers that filter gives nothing, and the whole page is read.
- Lines come and go (collectors/_litellm_lines.py): what is told here are increases since infertop began to read.
- `spend_metric` is dollars by LiteLLM's own prices, also for models that somebody serves himself. It is told once a
  minute as statements, as LiteLLM names provider, key, team, user and end user.
- `input_tokens` include cached ones, `cached_tokens_metric` is LiteLLM's own cache of answers and is not read.
- A refused request carries the name that the client made up: only names that were served stand for a model.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from collectors._litellm_lines import Lines
from collectors._page import check_whole, complaint, metrics_url, needed, shown
from collectors.kind import Kind, Server
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.exposition import RawSeries
from infertop.readings.model import Batch, Series, Statement

if TYPE_CHECKING:
    from infertop.engine.http import Http

_SPEND = "litellm_spend_metric_total"
_FAILED = "litellm_proxy_failed_requests_metric_total"
_REQUESTS = ("litellm_requests_metric_total", "litellm_request_total_latency_metric_count")
_ANSWERED = "answered"  # requests, where the counter of them, which LiteLLM calls deprecated, is not there
_COUNTERS = {
    _REQUESTS[0]: "requests",
    "litellm_input_tokens_metric_total": "prompt_tokens",
    "litellm_input_cached_tokens_metric_total": "cached_tokens",
    "litellm_output_tokens_metric_total": "output_tokens",
    "litellm_request_total_latency_metric_sum": "request_seconds_total",
    "litellm_request_queue_time_seconds_sum": "queue_seconds_total",
    _REQUESTS[1]: _ANSWERED,
}
_WANTED = frozenset((*_COUNTERS, _SPEND, _FAILED))
_NONE = ("", "None")
_OTHERS = "(other models)"
MAX_MODELS = 500
MAX_STATEMENTS = 1000
_SPEND_SECONDS = 60.0
_NOT_HERE = (301, 302, 307, 308, 404)
_HOW = 'LiteLLM serves it with callbacks: ["prometheus"] in its litellm_settings'
_REFRESH_SECONDS = 15.0


class _Meter(NamedTuple):
    """What a counter of the page is counted for."""

    metric: str
    model: str | None
    reason: str = ""

    @property
    def series(self) -> Series:
        labels = {"model": self.model, "reason": self.reason}
        return Series.of(self.metric, **{name: text for name, text in labels.items() if text})


class _Spender(NamedTuple):
    """Who spent: the provider and model as LiteLLM names them, and the dimensions that are set."""

    provider: str
    model: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Ledger:
    """What grew since the first page, and what was spent since statements were last made."""

    since: float | None = None
    requests: str = ""
    counted: dict[_Meter, float] = field(default_factory=dict)
    spent: dict[_Spender, float] = field(default_factory=dict)
    told: float | None = None


class LiteLlm:
    """Reads one proxy."""

    kind = "litellm"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url) + "/"
        self._filtered = True
        self._models: dict[str, str] = {}  # a name that was asked for, and the model that served it
        self._names: set[str] = set()
        self._lines: Lines[_Meter | _Spender] = Lines(_WANTED, b"litellm_", self._whose)
        self._ledger = _Ledger()
        self._series: tuple[Series, ...] = ()

    async def collect(self, ts: float) -> Batch:
        """Read the page once, as it comes."""
        if self._filtered:
            await self._ask({"name[]": [*sorted(_WANTED), "process_start_time_seconds"]})
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
        where, lines, ledger = shown(self._url), self._lines, self._ledger
        check_whole(where, lines.head + (b"\n" if lines.whole else b"..."))
        if not lines.marked:
            raise Unavailable(f"{where} serves no litellm metrics: {_HOW}")
        ledger.since = ts if ledger.since is None else ledger.since
        ledger.told = ts if ledger.told is None else ledger.told
        for of, amount in lines.grown():
            if isinstance(of, _Meter):
                ledger.counted[of] = ledger.counted.get(of, 0.0) + amount
            elif amount:
                ledger.spent[of] = ledger.spent.get(of, 0.0) + amount
        series, values = self._rows()
        notes = [complaint(where, lines.rejected, lines.first)] if lines.rejected else []
        if lines.beyond:
            notes.append(f"{where}: {lines.beyond} series are beyond what a page may have")
        return Batch(
            self.config.name,
            ts,
            series,
            values,
            started=ledger.since,
            statements=tuple(self._statements(ts)),
            notes=tuple(notes),
            rejected=lines.rejected + lines.beyond,
        )

    def _rows(self) -> tuple[tuple[Series, ...], tuple[float, ...]]:
        ledger, rows = self._ledger, dict[Series, float]()
        here = {each.metric for each in ledger.counted}
        ledger.requests = ledger.requests or next((each for each in ("requests", _ANSWERED) if each in here), "")
        for meter, amount in ledger.counted.items():
            if meter.metric == ledger.requests:
                rows[meter._replace(metric="requests").series] = amount
            elif meter.metric not in ("requests", _ANSWERED):
                rows[meter.series] = amount
        if tuple(rows) != self._series:
            self._series = tuple(rows)
        return self._series, tuple(rows.values())

    def _statements(self, ts: float) -> Iterator[Statement]:
        """Yield who spent how much since the last ones; what is less than a billionth of a dollar waits."""
        start = self._ledger.told
        if start is None or ts - start < _SPEND_SECONDS or not self._ledger.spent:
            return
        spent, self._ledger.told = self._ledger.spent, ts
        self._ledger.spent = {}
        for number, (of, usd) in enumerate(sorted(spent.items(), key=lambda each: -each[1])):
            nano = int(usd * 1e9)
            if number >= MAX_STATEMENTS or not nano:
                self._ledger.spent[of] = usd
                continue
            if rest := usd - nano / 1e9:
                self._ledger.spent[of] = max(rest, 0.0)
            who = hashlib.sha256(repr(of).encode()).hexdigest()[:16]
            yield Statement(
                source=self.config.name,
                key=f"{start:.3f}/{who}",
                start=start,
                end=ts,
                provider=of.provider,
                model=of.model,
                dimensions=dict(of.dimensions),
                quantities={},
                requests=None,
                usd_nano=nano,
                basis="computed",
            )

    def _whose(self, raw: RawSeries) -> _Meter | _Spender | None:
        labels = {name: text for name, text in raw.labels if text not in _NONE}
        if raw.name == _FAILED:
            return self._failure(labels)
        model = self._model(labels)
        if model is None:
            return None
        if raw.name != _SPEND:
            return _Meter(_COUNTERS[raw.name], model)
        said = {
            "key": labels.get("api_key_alias") or labels.get("hashed_api_key"),
            "team": labels.get("team_alias") or labels.get("team"),
            "user": labels.get("user") or labels.get("user_email"),
            "customer": labels.get("end_user"),
        }
        dimensions = tuple((name, text) for name, text in said.items() if text)
        return _Spender(labels.get("api_provider", "litellm"), model, dimensions)

    def _model(self, labels: Mapping[str, str]) -> str | None:
        model = labels.get("model")
        if model is None:
            return None
        if model not in self._names and len(self._names) >= MAX_MODELS:
            return _OTHERS
        self._names.add(model)
        asked = labels.get("requested_model")
        if asked is not None and len(self._models) < MAX_MODELS:
            self._models.setdefault(asked, model)
        return model

    def _failure(self, labels: Mapping[str, str]) -> _Meter | None:
        asked, status = labels.get("requested_model"), labels.get("exception_status", "")
        if asked is None:
            return None  # not of a model: a refused look at this page is one too
        reason = f"{status[0]}xx" if re.fullmatch(r"[45]\d\d", status) else "other"
        return _Meter("requests_failed", self._models.get(asked), reason)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE litellm_" in body


KIND = Kind(
    name="litellm",
    help="LiteLLM proxy: requests, tokens and spend by model, key, team and user; in no total unless counts = true",
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
