"""Which sources are read, and how often."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from infertop.commands.sources import WrongUseError, collector, configured, from_option, from_settings, is_local
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.engine.http import Http
from infertop.engine.secrets import Secret
from infertop.money.settings import Source
from tests.fakes import FakeClock

OWN = frozenset({"box", "10.0.0.7", "127.0.0.1", "fe80::1"})
NEAR = Source("vllm", "near", "pricing.toml:1", url="http://127.0.0.1:8000")
FAR = replace(NEAR, name="far", url="http://10.9.9.9:8000")


def intervals(*sources: Source, options: tuple[str, ...] = (), interval: float | None = None) -> dict[str, float]:
    return {each.name: each.interval_seconds for each in configured(sources, options, interval, OWN)}


@pytest.mark.parametrize(
    ("text", "kind", "name", "url"),
    [
        ("vllm=http://127.0.0.1:8000", "vllm", "vllm@127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("vllm=http://LOCALHOST:8000/", "vllm", "vllm@127.0.0.1:8000", "http://LOCALHOST:8000/"),
        ("triton=https://gpu.example", "triton", "triton@gpu.example:443", "https://gpu.example"),
        ("vllm=vllm=http://a:1", "vllm", "vllm", "http://a:1"),
        ("prod=llamacpp=http://[::1]:8080", "llamacpp", "prod", "http://[::1]:8080"),
        ("llamacpp=http://[fe80::2]:8080", "llamacpp", "llamacpp@[fe80::2]:8080", "http://[fe80::2]:8080"),
    ],
)
def test_an_option_names_a_source(text: str, kind: str, name: str, url: str) -> None:
    assert from_option(text) == SourceConfig(kind, name, url)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://127.0.0.1:8000", "must be [NAME=]KIND=URL"),
        ("vlm=http://127.0.0.1:8000", "must be [NAME=]KIND=URL"),
        ("vllm=", "must be [NAME=]KIND=URL"),
        ("vllm", "must be [NAME=]KIND=URL"),
        ("a b=vllm=http://x", "no blanks"),
        ("vllm=ftp://x", "must begin with http"),
        ("vllm=http://user:secret@x", "user name or password"),
    ],
)
def test_an_option_that_names_none_says_what_would(text: str, says: str) -> None:
    with pytest.raises(WrongUseError) as wrong:
        from_option(text)
    assert says in str(wrong.value)


def test_the_machine_itself_is_always_read_and_slower_than_its_gpus() -> None:
    assert intervals() == {"nvml": 1.0, "host": 2.0}


@pytest.mark.parametrize(("driver", "bindings"), [(True, True), (True, False), (False, True)])
def test_amds_gpus_are_read_where_their_driver_and_amdsmi_are(
    monkeypatch: pytest.MonkeyPatch, driver: bool, bindings: bool
) -> None:
    monkeypatch.setattr("infertop.commands.sources.amd_driver", lambda: driver)
    monkeypatch.setattr("infertop.commands.sources.amd_bindings", lambda: bindings)
    assert intervals().get("amd") == (1.0 if driver and bindings else None)


def test_the_command_line_comes_before_the_file_and_the_file_before_the_defaults() -> None:
    host = Source("host", "host", "pricing.toml:9", interval_seconds=7.0)
    chosen = configured((NEAR, host), ("near=vllm=http://127.0.0.1:9000",), None, OWN)
    assert [(each.name, each.url, each.interval_seconds) for each in chosen] == [
        ("near", "http://127.0.0.1:9000", 1.0),
        ("host", "", 7.0),
        ("nvml", "", 1.0),
    ]


def test_the_interval_option_is_that_of_local_meters_whatever_the_file_says() -> None:
    near, far = replace(NEAR, interval_seconds=10.0), replace(FAR, interval_seconds=30.0)
    assert intervals(near, far) == {"near": 10.0, "far": 30.0, "nvml": 1.0, "host": 2.0}
    assert intervals(near, far, interval=5.0) == {"near": 5.0, "far": 30.0, "nvml": 5.0, "host": 5.0}
    assert intervals(FAR, interval=5.0)["far"] == 5.0


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://10.0.0.7:8000", True),
        ("http://BOX:8000", True),
        ("http://[FE80::1]:8000", True),
        ("http://10.0.0.8:8000", False),
        ("http://box.example:8000", False),
        ("", True),
    ],
)
def test_a_source_on_an_address_of_this_machine_is_local(url: str, local: bool) -> None:
    assert is_local(SourceConfig("vllm", "x", url), OWN) is local


def test_what_a_file_of_somebody_else_names_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[Secret | None] = []

    class NotedHttp(Http):
        def __init__(self, url: str, *, key: Secret | None = None) -> None:
            keys.append(key)
            super().__init__(url, key=key)

    monkeypatch.setattr("infertop.engine.http.Http", NotedHttp)
    monkeypatch.setitem(os.environ, "A_KEY", "sk-1234567890")
    keyed = replace(NEAR, key_env="A_KEY")
    for source in (keyed, replace(keyed, trusted=False)):
        collector(from_settings(source), FakeClock())
    assert [key and key.reveal() for key in keys] == ["sk-1234567890", None]


def test_a_kind_of_a_later_version_and_a_missing_key_are_said_and_no_crash() -> None:
    with pytest.raises(Unavailable, match="cannot read abacus yet"):
        collector(SourceConfig("abacus", "abacus"), FakeClock())
    with pytest.raises(Unavailable, match=r"openai needs an admin key .*: set OPENAI_ADMIN_KEY in the environment"):
        collector(SourceConfig("openai", "openai"), FakeClock())
    with pytest.raises(Unavailable, match="NO_SUCH_KEY"):
        collector(SourceConfig("vllm", "x", "http://127.0.0.1:1", key_env="NO_SUCH_KEY"), FakeClock())
