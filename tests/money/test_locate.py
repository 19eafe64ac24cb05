from __future__ import annotations

from pathlib import Path

import pytest

from infertop.money.load import parse
from infertop.money.locate import candidates, distrust
from infertop.money.reload import Loaded, Watcher
from infertop.money.schema import Mistakes
from infertop.money.settings import Settings


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The user's configuration folder and a current directory, both empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    configuration, here = tmp_path / "config" / "infertop", tmp_path / "here"
    configuration.mkdir(parents=True)
    here.mkdir()
    return configuration, here


def test_the_option_goes_before_the_variable_the_variable_before_the_folders(folders: tuple[Path, Path]) -> None:
    configuration, here = folders
    (configuration / "pricing.toml").touch()
    variable = {"INFERTOP_PRICING": "/variable.toml"}
    assert [str(each.path) for each in candidates("/option.toml", variable, here)] == ["/option.toml"]
    assert [str(each.path) for each in candidates(None, variable, here)] == ["/variable.toml"]
    assert candidates("/option.toml", {}, here)[0].trusted


def test_what_was_asked_for_is_used_even_if_it_is_not_there(folders: tuple[Path, Path]) -> None:
    with pytest.raises(Mistakes, match=r"/no/such\.toml could not be read"):
        Watcher(candidates("/no/such.toml", {}, folders[1]), None, 0.0)


def test_the_configuration_folder_goes_before_this_folder_and_this_before_the_one_shipped(
    folders: tuple[Path, Path],
) -> None:
    configuration, here = folders

    def used() -> Loaded:
        return Watcher(candidates(None, {"INFERTOP_PRICING": ""}, here), None, 0.0).current

    shipped = used()
    assert shipped.path is not None
    assert (shipped.path.name, shipped.settings) == ("pricing.toml", Settings())
    (here / "pricing.toml").touch()
    assert used().path == here / "pricing.toml"
    (configuration / "pricing.toml").touch()
    assert used().path == configuration / "pricing.toml"


def test_a_folder_of_that_name_is_no_file(folders: tuple[Path, Path]) -> None:
    configuration, here = folders
    (configuration / "pricing.toml").mkdir()
    (here / "pricing.toml").touch()
    places = candidates(None, {}, here)
    assert Watcher(places, None, 0.0).current.path == here / "pricing.toml"
    assert [each.trusted for each in places] == [True, False, True, True]


SOURCES = b"""[host]
usd_per_hour = 1
[model.m]
input = 1
[provider.openai]
factor = 0.9
[[budget]]
name = "b"
limit_usd = 1
period = "day"
[[source]]
kind = "vllm"
url = "http://localhost:8000"
[[source]]
kind = "vllm"
url = "http://127.0.0.1.evil.example:8000"
[[source]]
kind = "openai"
[[source]]
kind = "litellm"
url = "http://127.0.0.1:4000"
key_env = "LITELLM_MASTER_KEY"
"""


def test_of_a_file_that_may_be_somebody_elses_sources_elsewhere_and_with_keys_are_left_out() -> None:
    settings, notices = distrust(parse(SOURCES))
    assert [each.name for each in settings.sources] == ["vllm@127.0.0.1:8000"]
    assert not settings.sources[0].trusted
    assert settings.host is not None
    assert len(settings.budgets) == len(settings.models) == len(settings.providers) == 1
    assert [each.split(",")[0] for each in notices] == [
        "pricing.toml:14: source vllm@127.0.0.1.evil.example:8000 is ignored",
        "pricing.toml:17: source openai is ignored",
        "pricing.toml:19: source litellm@127.0.0.1:4000 is ignored",
    ]
    assert "key" in notices[2]
