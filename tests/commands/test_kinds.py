from argparse import Namespace

import pytest

from collectors import KINDS
from infertop.commands import check


def test_every_kind_says_where_it_is_read_and_an_api_whose_key_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(Namespace(kinds=True)) == 0
    lines = [line.split(None, 2) for line in capsys.readouterr().out.splitlines()]
    where = {name: place for name, place, _ in lines}
    assert KINDS.keys() <= where.keys()
    assert (where["vllm"], where["ssh"]) == ("http://HOST:8000/metrics", "ssh://USER@HOST")
    apis = {name: kind.api for name, kind in KINDS.items() if kind.api}
    assert {name: where[name] for name in apis} == {name: api.url or "-" for name, api in apis.items()}
    keys = {line[2].rpartition(" ")[2] for line in lines if line[:2] == ["option", "key_env"]}
    assert keys == {api.key_env[0] for name, api in apis.items() if api.key_env and not KINDS[name].unread}
