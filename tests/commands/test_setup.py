"""What the user asked for is checked before anything starts."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from infertop.commands.setup import DB_LIMIT_BYTES, setup, setup_or_status
from infertop.commands.sources import WrongUseError
from infertop.history.open import open_store


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
    ("text", "size"),
    [("500M", 500_000_000), ("2G", 2 * 10**9), ("2gb", 2 * 10**9), ("10000000", 10**7), (" 30000 K ", 3 * 10**7)],
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


@pytest.mark.parametrize("text", ["5", "1M", "9999K"])
def test_a_size_in_which_no_history_finds_room_is_refused_with_the_least(options: Any, text: str) -> None:
    with pytest.raises(WrongUseError, match=rf'"{text}" is \d+ bytes, too little for a history: 10M is the least'):
        setup(options(db_limit=text))


SHORT = b"SQLite format 3\x00" + b"\x00" * 20
THEIRS = b"SQLite format 3\x00" + b"\x00" * 52 + b"\x0f\x05\x51\x12" + b"\x00" * 4000


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"[host]\nusd_per_hour = 0.4\n", "no database"), (b"\x00" * 9000, "no database"), (SHORT, "no database"),
     (THEIRS, "another program's database")],
)  # fmt: skip
def test_a_file_that_is_no_history_is_refused_and_left_alone(
    options: Any, tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(content)
    with pytest.raises(WrongUseError, match=f"prices.toml is {what}, not a history of infertop: it was left alone"):
        setup(options(db=path))
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir() if each == path] == [(path.name, content)]
    assert not list(tmp_path.glob("prices.toml?*"))
    with pytest.raises(WrongUseError, match=f"{tmp_path.name} is a folder"):
        setup(options(db=tmp_path))


def test_a_file_of_ours_may_be_empty_damaged_or_not_there(options: Any, tmp_path: Path) -> None:
    path, named = tmp_path / "x.db", tmp_path / "infertop.db"
    assert setup(options(db=path)).database == path
    path.touch()
    assert setup(options(db=path)).database == path
    named.write_bytes(b"nothing of it is left")
    assert setup(options(db=named)).database == named
    open_store(path, 0.0).close()
    damaged = bytearray(path.read_bytes())
    damaged[100:] = b"\xff" * 5000
    path.write_bytes(damaged)
    assert setup(options(db=path)).database == path


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
