"""Which systems can be read out of a Prometheus: the names to ask for, and which of them tell what a target is.

The names are those of the systems' own tables, so that nothing is known here that a direct poll does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from collectors import dcgm, dynamo, kserve, llamacpp, lmdeploy, nim, ray, sglang, tei, tgi, triton, trtllm, vllm
from collectors._dcgm_page import FIELDS
from collectors.kind import Kind
from infertop.readings.mapping import Table
from infertop.readings.mapping_page import parts as names_of
from infertop.readings.registry import METRICS
from infertop.readings.registry import Kind as MetricKind


@dataclass(frozen=True, slots=True)
class System:
    """A kind of target. It is one where `sign` fits one of its names, written with `_` for `:`, and `unless` fits none.

    `gateway` says that it passes on what others serve, who are read too; `nameless` that its page names no model.
    """

    kind: Kind
    sign: re.Pattern[str]
    tables: tuple[Table, ...] = ()
    unless: re.Pattern[str] | None = None
    gateway: bool = False
    nameless: bool = False


# The first that fits. What a relay shows of an engine is read as the relay's, as a direct poll would.
SYSTEMS = (
    System(dcgm.KIND, re.compile("DCGM_FI_.*")),
    System(
        dynamo.FRONT_END_KIND,
        re.compile("(?:dynamo_frontend|nv_llm_http_service)_.*"),
        (dynamo.FRONT_END,),
        unless=re.compile("(?:vllm|sglang|trtllm)_.*"),
        gateway=True,
    ),
    System(dynamo.KIND, re.compile("dynamo_.*"), (dynamo.WORKER,)),
    System(ray.KIND, re.compile("ray_(?:vllm|sglang)_.*"), (ray.TABLE,)),
    System(kserve.KIND, re.compile("kserve_vllm_.*|request_predict_seconds_.*"), (kserve.TABLE,)),
    System(triton.KIND, re.compile("nv_(?:inference|trt_llm|llm)_.*"), (triton.TABLE,)),
    System(sglang.KIND, re.compile("sglang_.*"), (sglang.TABLE,)),
    System(lmdeploy.KIND, re.compile("lmdeploy_.*"), (lmdeploy.TABLE,)),
    System(vllm.KIND, re.compile("vllm_.*"), (vllm.TABLE,)),
    System(tgi.KIND, re.compile("tgi_.*"), (tgi.TABLE,), nameless=True),
    System(tei.KIND, re.compile("te_.*"), (tei.TABLE,), nameless=True),
    System(llamacpp.KIND, re.compile("llamacpp_.*"), (llamacpp.TABLE,), nameless=True),
    System(trtllm.KIND, re.compile("trtllm_.*|kv_cache_utilization"), (trtllm.TABLE,)),
    System(nim.KIND, re.compile("request_finish_total|gpu_cache_usage_perc|num_requests_running"), (nim.TABLE,)),
)
# Names that others use too: they are asked for where an engine is, and tell none.
_ANYBODYS = re.compile(
    r"process_start_time_seconds|http_requests_total|requests?_.*|(?:prompt|generation)_tokens_.*|num_requests_waiting"
    r"|prompt_cached_tokens_total|spec_decode_.*|(?:e2e|time|inter_token)_.*|kv_cache_usage_perc"
)


def system_of(names: Iterable[str]) -> System | None:
    """Return what a target with samples of these names is, None where it is nothing that can be read."""
    spelt = {name.replace(":", "_") for name in names}
    return next((each for each in SYSTEMS if _is(each, spelt)), None)


def _is(system: System, names: Iterable[str]) -> bool:
    not_this = system.unless is not None and any(map(system.unless.fullmatch, names))
    return not not_this and any(map(system.sign.fullmatch, names))


@cache
def wanted() -> frozenset[str]:
    """Return the names of all samples that any system's table reads."""
    found = {name for system in SYSTEMS for table in system.tables for name in _samples(table)}
    return frozenset(found | FIELDS | {"process_start_time_seconds"})


@cache
def telling() -> frozenset[str]:
    """Return those of them by which an engine is found among everything else."""
    return frozenset(
        name for name in wanted() if not _ANYBODYS.fullmatch(name) and not name.endswith(("_bucket", "_sum"))
    )


@cache
def counted() -> frozenset[str]:
    """Return those of them that the ledger needs, of which alone the past is read: no latencies, no queues."""
    kept = {name for system in SYSTEMS for table in system.tables for name in _samples(table, ledger=True)}
    fields = {each for each in FIELDS if not each.endswith(("_TEMP", "_CLOCK", "_REASONS", "_COPY_UTIL"))}
    return frozenset(kept | fields | {"process_start_time_seconds"})


# Gauges that no line of the ledger is made of.
_SHOWN_ONLY = frozenset(
    (
        *("running", "waiting", "kv_cache_usage", "asleep", "batches", "preemptions", "queue_seconds_total"),
        *("prefix_cache_queries", "prefix_cache_hits", "spec_drafted_tokens", "spec_accepted_tokens"),
        *("prefix_cache_hit_rate", "spec_acceptance", "answers"),
        *("request_seconds_total", "prefill_seconds_total", "decode_seconds_total"),
        *("request_seconds_quantile", "queue_seconds_quantile"),
    )
)


def _samples(table: Table, *, ledger: bool = False) -> Iterator[str]:
    for rule in table.rules:
        histogram = METRICS[rule.metric].kind is MetricKind.HISTOGRAM
        if ledger and (histogram or rule.metric in _SHOWN_ONLY):
            continue
        for name in rule.names:
            for part in names_of(name):
                for prefix in table.prefixes:
                    yield from (prefix + part + suffix for suffix in (("_bucket", "_sum") if histogram else ("",)))


def pattern(names: Iterable[str]) -> str:
    """Return a regular expression (RE2) for these names: `:` and `_` are equal, OpenTelemetry may have added units."""
    stems: dict[str, set[str]] = {}
    for name in names:
        end = next((each for each in _ENDS if name.endswith(each)), "")
        stems.setdefault(end, set()).add(name.removesuffix(end))
    return "|".join(
        f"(?:{_words(each)})" + (_UNIT + end if end else f"{_UNIT}(?:_total)?") for end, each in sorted(stems.items())
    )


_ENDS = ("_total", "_bucket", "_sum", "_count")
_UNIT = "(?:_seconds|_ratio)?"  # what a collector of OpenTelemetry puts behind a name, and `_total` behind a counter's


def _words(names: Iterable[str]) -> str:
    """Return a regular expression for these names; what is before a `:` is said once."""
    after: dict[str, set[str]] = {}
    for name in names:
        before, colon, rest = name.rpartition(":")
        after.setdefault(before + colon, set()).add(rest)
    before_each: dict[frozenset[str], list[str]] = {}
    for before, rests in after.items():
        before_each.setdefault(frozenset(rests), []).append(before.replace(":", "[:_]"))
    return "|".join(sorted(_either(befores) + _either(rests) for rests, befores in before_each.items()))


def _either(words: Iterable[str]) -> str:
    each = sorted(words)
    return each[0] if len(each) == 1 else f"(?:{'|'.join(each)})"
