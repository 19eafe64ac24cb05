"""Providers that tell nobody's key what was used or what it cost: what works with each instead, as data.

Looked for in their documentation and in what other pollers found: Together's likely paths answer 404; Mistral's admin
API is that of Enterprise plans, and tells months without models; Cohere's and Hugging Face's figures are on web pages
for a signed-in person; Replicate and Gemini's developer API tell each request's use in its own answer; Modal tells its
costs to its Python SDK alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from collectors.kind import Api, Kind

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.collector import SourceConfig
    from infertop.engine.http import Http

_DAILY = 86_400.0
_INSTEAD = "read a gateway in front of it (litellm), or a log of its requests (langfuse, helicone)"


class Untold(NamedTuple):
    """A provider, where its key usually is, why nothing can be read, and what can be read instead."""

    name: str
    key_env: tuple[str, ...]
    why: str
    instead: str = _INSTEAD


PROVIDERS = (
    Untold("together", ("TOGETHER_API_KEY",), "Together has no API that tells usage or cost"),
    Untold("mistral", ("MISTRAL_API_KEY",), "Mistral tells usage to Enterprise plans alone, by the month"),
    Untold("cohere", ("COHERE_API_KEY", "CO_API_KEY"), "Cohere tells usage on its web pages alone, to no key"),
    # HF_TOKEN is set wherever models are fetched: it says nothing of requests to be paid for.
    Untold("huggingface", ("HUGGINGFACE_API_KEY",), "Hugging Face tells usage on its web pages alone, to no key"),
    Untold("replicate", ("REPLICATE_API_TOKEN",), "Replicate tells the time of each prediction alone, and no sums"),
    Untold(
        "gemini",
        ("GEMINI_API_KEY",),
        "Gemini's developer API tells usage in each answer alone, and no sums",
        f"{_INSTEAD}, Gemini CLI's own logs (gemini-cli), or use it through Vertex AI (vertex)",
    ),
    Untold(
        "modal",
        ("MODAL_TOKEN_ID",),
        "Modal tells costs to its Python SDK alone (`modal billing report --json`), which infertop does not run",
        "read the engine that runs there by its own metrics (vllm, sglang, …), with its price under [gpu]",
    ),
)


def _never(_config: SourceConfig, _http: Http | None, _clock: Clock) -> NoReturn:
    raise ValueError("there is nothing to read")


def _kind(each: Untold) -> Kind:
    return Kind(
        name=each.name,
        help=f"not read: {each.why}",
        make=_never,
        least_seconds=_DAILY,
        api=Api("", each.key_env, what="no key"),
        unread=f"{each.why}: {each.instead}",
    )


KINDS = tuple(_kind(each) for each in PROVIDERS)
