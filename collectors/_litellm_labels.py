"""What a line of LiteLLM's page is about: which quantity, of which model at which provider, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from infertop.readings.exposition import RawSeries

SPEND, REQUESTS, ANSWERED, FAILED = "spend", "requests", "answered", "requests_failed"
PROMPT, CACHED, WRITTEN, AUDIO_IN = "prompt_tokens", "cached_tokens", "written_tokens", "prompt_audio_tokens"
OUTPUT, REASONING, AUDIO_OUT = "output_tokens", "reasoning_tokens", "output_audio_tokens"
SECONDS, QUEUED = "request_seconds_total", "queue_seconds_total"

_FAILED = "litellm_proxy_failed_requests_metric_total"
# Both of the first two count requests: LiteLLM calls the first one deprecated, so that the other has to stand in for it
# one day. Prompts include what a provider's cache gave or took, and audio; output includes reasoning and audio.
_COUNTERS = {
    "litellm_requests_metric_total": REQUESTS,
    "litellm_request_total_latency_metric_count": ANSWERED,
    "litellm_spend_metric_total": SPEND,
    "litellm_input_tokens_metric_total": PROMPT,
    "litellm_input_cached_tokens_metric_total": CACHED,
    "litellm_input_cache_creation_tokens_metric_total": WRITTEN,
    "litellm_input_audio_tokens_metric_total": AUDIO_IN,
    "litellm_output_tokens_metric_total": OUTPUT,
    "litellm_output_reasoning_tokens_metric_total": REASONING,
    "litellm_output_audio_tokens_metric_total": AUDIO_OUT,
    "litellm_request_total_latency_metric_sum": SECONDS,
    "litellm_request_queue_time_seconds_sum": QUEUED,
}
WANTED = frozenset((*_COUNTERS, _FAILED))
_NONE = ("", "None")
_OTHERS = "(other models)"
_TAG = "tag_"
# What a proxy's own labels (custom_prometheus_metadata_labels) may be named after.
_OWN = frozenset({"project", "feature", "customer", "environment"})
UNTOLD = "litellm"
MAX_MODELS = 500

Dimensions = tuple[tuple[str, str], ...]


class Spender(NamedTuple):
    """Whose it is: the provider and model as LiteLLM names them, and the dimensions that are set."""

    provider: str
    model: str
    dimensions: Dimensions


class Counter(NamedTuple):
    """A counter, and whose it is."""

    field: str
    of: Spender


class Refused(NamedTuple):
    """Requests that failed, by the name that the client asked for, which may be made up, by who was at fault."""

    asked: str
    reason: str
    dimensions: Dimensions


About = Counter | Refused


class Labels:
    """Reads the labels of new lines. `served` maps names that were asked for to the (provider, model) that answered."""

    def __init__(self) -> None:
        self.served: dict[str, tuple[str, str]] = {}
        self._models: set[str] = set()
        self._same: dict[Spender, Spender] = {}

    def about(self, raw: RawSeries) -> About | None:
        """Say what a line is about, None where that is nothing of interest."""
        labels = {name: text for name, text in raw.labels if text not in _NONE}
        if raw.name == _FAILED:
            return _refused(labels)
        model = self._model(labels)
        if model is None:
            return None
        provider = labels.get("api_provider", UNTOLD)
        if (asked := labels.get("requested_model")) and len(self.served) < MAX_MODELS:
            self.served.setdefault(asked, (provider, model))
        of = Spender(provider, model, _dimensions(labels))
        return Counter(_COUNTERS[raw.name], self._same.setdefault(of, of))

    def _model(self, labels: Mapping[str, str]) -> str | None:
        model = labels.get("model")
        if model is None:
            return None
        if model not in self._models and len(self._models) >= MAX_MODELS:
            return _OTHERS
        self._models.add(model)
        return model


def _refused(labels: Mapping[str, str]) -> Refused | None:
    asked, status = labels.get("requested_model"), labels.get("exception_status", "")
    if asked is None:
        return None  # of no model: a look at this page without a key is one too
    reason = f"{status[0]}xx" if re.fullmatch(r"[45]\d\d", status, re.ASCII) else "other"
    return Refused(asked, reason, _dimensions(labels))


def _dimensions(labels: Mapping[str, str]) -> Dimensions:
    """Return who it was: names before ids, then what the proxy is set to label by."""
    tags = sorted(name.removeprefix(_TAG) for name, text in labels.items() if _is_tag(name, text))
    said = {
        "key": labels.get("api_key_alias") or labels.get("hashed_api_key"),
        "team": labels.get("team_alias") or labels.get("team"),
        "user": labels.get("user") or labels.get("user_email"),
        "customer": labels.get("end_user"),
        "tag": ",".join(tags),
    }
    for name, text in labels.items():
        own = name.removeprefix("metadata_")
        if own in _OWN and not said.get(own):
            said[own] = text
    return tuple((name, text) for name, text in said.items() if text)


def _is_tag(name: str, text: str) -> bool:
    return name.startswith(_TAG) and text.lower() == "true"
