"""Estimates without a vocabulary and without a network, but those that a test makes."""

import urllib.request

import pytest
import tiktoken


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No vocabulary is here, and nothing is asked of the network."""

    def refused(*_, **__):
        raise AssertionError("the network was asked")

    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME", "DATA_GYM_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.delenv("INFERTOP_PRICING", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", refused)
    monkeypatch.setattr("tiktoken.load.read_file", refused)


@pytest.fixture
def bytes_are_tokens(monkeypatch, tmp_path):
    """A vocabulary whose tokens are single bytes, wherever one is asked for."""
    made = tiktoken.Encoding(
        "bytes", pat_str=r"[\s\S]", mergeable_ranks={bytes([n]): n for n in range(256)}, special_tokens={"<|end|>": 256}
    )
    monkeypatch.setattr("infertop.commands.counters.find", lambda _: tmp_path)
    monkeypatch.setattr("infertop.commands.counters.load", lambda _cut, _folder: made)
