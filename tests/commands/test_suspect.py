"""What `infertop check` says of names in pricing.toml that mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from infertop import cli
from infertop.commands.suspect import suspect
from infertop.money.load import parse
from infertop.money.rates import PriceBook

NOON = 1_795_348_800.0
FACTOR = "factor = 0.9\n"
JOB = """
[[deployment]]
name = "nightly"
kind = "batch"
model = "gpt-4.1"
requests = 1000
input_tokens = 1000
gpu = "{gpu}"
hours = 2
"""
FLEX = """
[[deployment]]
name = "flex"
kind = "serverless"
provider = "runpod"
model = "llama"
usd_per_second = 0.00116
gpu = "{gpu}"
"""


def told(text: str) -> list[str]:
    return list(suspect(PriceBook(parse(text.encode())), NOON))


def test_a_factor_of_a_provider_that_nothing_is_of_is_told_with_its_line() -> None:
    assert told(f"[provider.opennai]\n{FACTOR}") == [
        'pricing.toml:2: [provider."opennai"] is on nothing: no price list has such a provider, '
        'and no [[source]] and no [model] names it; did you mean "openai"?'
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"[provider.OpenAI]\n{FACTOR}",
        f"[provider.vertex_ai]\n{FACTOR}",
        f'[provider.my-gateway]\n{FACTOR}[model.m]\nprovider = "my-*"\ninput = 1\n',
        f'[provider.gate]\n{FACTOR}[[source]]\nkind = "vllm"\nname = "gate"\nurl = "http://127.0.0.1:8000"\n',
        f"[provider.runpod]\n{FACTOR}{FLEX.format(gpu='H100')}",
    ],
)
def test_a_factor_of_a_provider_that_is_named_anywhere_is_not(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(("text", "name"), [(JOB, "nightly"), (FLEX, "flex")])
def test_a_gpu_of_no_known_kind_is_told(text: str, name: str) -> None:
    (sentence,) = told(text.format(gpu="Foo9"))
    assert f'{name} has gpu = "Foo9", which is no GPU that infertop knows' in sentence
    assert sentence.startswith("pricing.toml:")
    assert told(text.format(gpu="NVIDIA H100 80GB HBM3")) == []
    assert told(text.format(gpu="Foo9") + '[gpu."Foo9"]\nusd_per_hour = 3\n') == []


def test_check_tells_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f"[provider.opennai]\n{FACTOR}{JOB.format(gpu='Foo9')}", encoding="utf-8")
    cli.main(["check", "--no-discovery", "--pricing", str(file)])
    out = capsys.readouterr().out
    assert "               ! own.toml:2: [provider." in out
    assert 'has gpu = "Foo9", which is no GPU that infertop knows' in out
