"""What a line of LiteLLM's page is about: a counter of a model, a refused request, or what somebody spent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from infertop.readings.exposition import RawSeries
from infertop.readings.model import Series

_SPEND = "litellm_spend_metric_total"
_FAILED = "litellm_proxy_failed_requests_metric_total"
REQUESTS = ("requests", "answered")
"""Both count requests: LiteLLM calls the first one deprecated, so that the second has to stand in for it one day."""
_COUNTERS = {
    "litellm_requests_metric_total": REQUESTS[0],
    "litellm_request_total_latency_metric_count": REQUESTS[1],
    "litellm_input_tokens_metric_total": "prompt_tokens",
    "litellm_input_cached_tokens_metric_total": "cached_tokens",
    "litellm_output_tokens_metric_total": "output_tokens",
    "litellm_request_total_latency_metric_sum": "request_seconds_total",
    "litellm_request_queue_time_seconds_sum": "queue_seconds_total",
}
WANTED = frozenset((*_COUNTERS, _SPEND, _FAILED))
_NONE = ("", "None")
_OTHERS = "(other models)"
MAX_MODELS = 500


class Meter(NamedTuple):
    """What a counter is counted for."""

    metric: str
    model: str | None
    reason: str = ""

    @property
    def series(self) -> Series:
        """The series of it."""
        labels = {"model": self.model, "reason": self.reason}
        return Series.of(self.metric, **{name: text for name, text in labels.items() if text})


class Refused(NamedTuple):
    """Requests that failed, by the name that the client asked for, which may be made up, and by who was at fault."""

    asked: str
    reason: str


class Spender(NamedTuple):
    """Who spent: the provider and model as LiteLLM names them, and the dimensions that are set."""

    provider: str
    model: str
    dimensions: tuple[tuple[str, str], ...]


About = Meter | Refused | Spender


class Labels:
    """Reads the labels of new lines. `served` maps names that were asked for to the models that answered."""

    def __init__(self) -> None:
        self.served: dict[str, str] = {}
        self._models: set[str] = set()

    def about(self, raw: RawSeries) -> About | None:
        """Say what a line is about, None where that is nothing of interest."""
        labels = {name: text for name, text in raw.labels if text not in _NONE}
        if raw.name == _FAILED:
            return _refused(labels)
        model = self._model(labels)
        if model is None:
            return None
        return _spender(labels, model) if raw.name == _SPEND else Meter(_COUNTERS[raw.name], model)

    def _model(self, labels: Mapping[str, str]) -> str | None:
        model = labels.get("model")
        if model is None:
            return None
        if model not in self._models and len(self._models) >= MAX_MODELS:
            return _OTHERS
        self._models.add(model)
        if (asked := labels.get("requested_model")) and len(self.served) < MAX_MODELS:
            self.served.setdefault(asked, model)
        return model


def _refused(labels: Mapping[str, str]) -> Refused | None:
    asked, status = labels.get("requested_model"), labels.get("exception_status", "")
    if asked is None:
        return None  # of no model: a look at this page without a key is one too
    return Refused(asked, f"{status[0]}xx" if re.fullmatch(r"[45]\d\d", status, re.ASCII) else "other")


def _spender(labels: Mapping[str, str], model: str) -> Spender:
    said = {
        "key": labels.get("api_key_alias") or labels.get("hashed_api_key"),
        "team": labels.get("team_alias") or labels.get("team"),
        "user": labels.get("user") or labels.get("user_email"),
        "customer": labels.get("end_user"),
    }
    dimensions = tuple((name, text) for name, text in said.items() if text)
    return Spender(labels.get("api_provider", "litellm"), model, dimensions)
