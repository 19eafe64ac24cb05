"""[[source]] kind = "ssh": whom ssh may be started for, and that a file that may be anybody's starts none."""

from __future__ import annotations

import pytest

from infertop.money.load import parse
from infertop.money.locate import distrust
from infertop.money.schema import Mistakes
from infertop.money.settings import Settings

KINDS: dict[str, tuple[str, ...]] = {"ssh": (), "vllm": ()}


def read(text: str) -> Settings:
    return parse(text.encode(), "pricing.toml", KINDS)


def wrong(text: str) -> list[str]:
    with pytest.raises(Mistakes) as told:
        read(text)
    return [sentence.partition(": ")[2] for sentence in told.value.sentences]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("ssh://gpubox", "ssh@gpubox:22"),
        ("ssh://me@GpuBox.example:2222", "ssh@gpubox.example:2222"),
        ("ssh://me.x+y@10.0.0.5", "ssh@10.0.0.5:22"),
        ("ssh://[fd00::5]", "ssh@[fd00::5]:22"),
        ("ssh://127.0.0.1:2200/", "ssh@127.0.0.1:2200"),
    ],
)
def test_a_machine_is_named_by_its_url(url: str, name: str) -> None:
    (source,) = read(f'[[source]]\nkind = "ssh"\nurl = "{url}"\n').sources
    assert (source.kind, source.url, source.name) == ("ssh", url, name)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('kind = "ssh"\nurl = "ssh://-oProxyCommand=x"', 'source[0].url must be a URL like "http://10.0.0.5:8000"'),
        ('kind = "ssh"\nurl = "ssh://h;id"', 'source[0].url must be a URL like "http://10.0.0.5:8000"'),
        ('kind = "ssh"\nurl = "ssh://me:word@h"', 'source[0].url must be a URL like "http://10.0.0.5:8000"'),
        ('kind = "ssh"\nurl = "http://h"', 'source[0].url must be like "ssh://user@host" for ssh'),
        ('kind = "vllm"\nurl = "ssh://h"', 'source[0].url must be http or https for every kind but "ssh"'),
        (
            'kind = "ssh"\nurl = "ssh://h"\nkey_env = "A"',
            "source[0] has a key: ssh takes its own from ~/.ssh or an agent",
        ),
    ],
)
def test_what_is_no_machine_is_a_mistake(source: str, sentence: str) -> None:
    assert wrong(f"[[source]]\n{source}\n") == [sentence]


@pytest.mark.parametrize("url", ["ssh://gpubox", "ssh://127.0.0.1", "ssh://localhost:2222"])
def test_a_file_that_may_be_anybodys_starts_no_ssh(url: str) -> None:
    settings, (notice,) = distrust(read(f'[[source]]\nkind = "ssh"\nurl = "{url}"\n'))
    assert settings.sources == ()
    assert "because it starts ssh and this folder's file may not be yours" in notice
