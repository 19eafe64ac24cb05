"""What the user asked for is checked before anything starts."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from infertop.commands.setup import DB_LIMIT_BYTES, setup, setup_or_status
from infertop.commands.sources import WrongUseError


@pytest.fixture
def options(tmp_path: Path) -> Any:
    def made(**given: Any) -> Namespace:
        pricing = tmp_path / "pricing.toml"
        if not pricing.exists():
            pricing.write_text("")
        usual = {"pricing": pricing, "db": tmp_path / "x.db", "db_limit": None, "source": None, "interval": None}
        return Namespace(**{**usual, "no_discovery": False, "demo": False, **given})

    return made


def test_the_defaults(options: Any, tmp_path: Path) -> None:
    made = setup(options())
    assert (made.database, made.db_limit_bytes, made.interval) == (tmp_path / "x.db", DB_LIMIT_BYTES, None)
    assert (made.discover, made.demo) == (True, False)
    assert [each.name for each in made.sources()] == ["nvml", "host"]


@pytest.mark.parametrize(
    ("text", "size"), [("500M", 500_000_000), ("2G", 2 * 10**9), ("2gb", 2 * 10**9), ("4096", 4096), (" 3 K ", 3000)]
)
def test_a_size_may_have_a_unit(options: Any, text: str, size: int) -> None:
    assert setup(options(db_limit=text)).db_limit_bytes == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1T", "lots", "1.5G", "9" * 30])
def test_a_size_that_is_none_says_what_one_is(options: Any, text: str) -> None:
    if not text:
        assert setup(options(db_limit=text)).db_limit_bytes == DB_LIMIT_BYTES
        return
    with pytest.raises(WrongUseError, match="must be a size like 500M or 2G"):
        setup(options(db_limit=text))


def test_one_server_under_two_names_is_refused_as_it_would_count_twice(options: Any) -> None:
    with pytest.raises(WrongUseError, match=r"a and b are the same server, http://localhost:8000/v1: .*leave one"):
        setup(options(source=["a=vllm=http://127.0.0.1:8000", "b=vllm=http://localhost:8000/v1"]))


def test_another_path_kind_or_model_of_a_server_is_another_source(options: Any, tmp_path: Path) -> None:
    url = "http://10.0.0.5:8000"
    (tmp_path / "pricing.toml").write_text(
        "".join(
            f'[[source]]\nname = "{name}"\nkind = "llamacpp"\nurl = "{url}"\n{more}\n'
            for name, more in (("a", 'model = "a"'), ("b", 'model = "b"'), ("c", 'model = "a"\ncounts = false'))
        )
    )
    others = [f"d=vllm={url}/one", f"e=vllm={url}/two", f"f=sglang={url}/one"]
    assert len(setup(options(source=others)).sources()) == 8


def test_every_mistake_is_said_and_the_status_is_2(
    options: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pricing.toml").write_text('timezone = "Mars"\n[[budget]]\nname = "x"\n')
    assert setup_or_status(options()) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("infertop: pricing.toml:") for line in lines)
    (tmp_path / "pricing.toml").write_text("")
    assert setup_or_status(options(source=["nonsense\x1b[2J"])) == 2
    said = capsys.readouterr().err
    assert "must be [NAME=]KIND=URL" in said
    assert "\x1b" not in said


def test_the_demo_has_its_own_prices_and_looks_for_nothing(options: Any) -> None:
    made = setup(options(demo=True, pricing=None))
    assert made.demo
    assert not made.discover
    assert made.watcher.current.settings.budgets
    assert str(made.watcher.current.path).endswith("collectors/demo/pricing.toml")


def test_a_file_that_was_asked_for_must_be_there(options: Any, tmp_path: Path) -> None:
    assert setup_or_status(options(pricing=tmp_path / "none.toml")) == 2
