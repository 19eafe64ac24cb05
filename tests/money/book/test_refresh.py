"""A newer package becomes a newer snapshot; whatever goes wrong leaves the one that was there."""

from __future__ import annotations

from datetime import date
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest

from infertop.money.book import refresh as module
from infertop.money.book.load import FILE, newest, shipped
from infertop.money.book.refresh import CannotRefreshError, refresh

TODAY = date(2027, 2, 3)


@pytest.fixture
def newer(monkeypatch):
    """A package that is newer than the shipped snapshot, with the prices of the one that is installed."""
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    monkeypatch.setattr(module, "version", lambda _name: "77.1")


def test_a_newer_package_becomes_the_snapshot_that_is_used(tmp_path, newer):
    folder = tmp_path / "data" / "infertop"
    said = refresh(folder, TODAY)
    assert said == (
        f"prices are now those of genai-prices 77.1, snapshot 2027-02-03 (were snapshot 2026-11-10): {folder / FILE}"
    )
    assert newest(folder).name == "snapshot 2027-02-03"
    assert newest(folder).quote("openai", "gpt-4o", 1_795_000_000.0).source == "snapshot 2027-02-03"
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in folder.iterdir()] == [FILE]


def test_corrections_hold_in_a_newer_snapshot_that_is_still_wrong(tmp_path, newer):
    refresh(tmp_path, TODAY)
    assert newest(tmp_path).quote("mistral", "mistral-large-latest", 1_795_000_000.0).flags == ("corrected",)


def test_a_package_that_is_not_newer_changes_nothing_and_says_so(tmp_path, newer, monkeypatch):
    refresh(tmp_path, TODAY)
    before = (tmp_path / FILE).read_bytes()
    said = refresh(tmp_path, date(2027, 9, 9))
    assert said.startswith("nothing to do: genai-prices 77.1 is installed, and the price book is of 77.1")
    assert (tmp_path / FILE).read_bytes() == before
    monkeypatch.setattr(module, "version", lambda _name: shipped().version)
    assert "nothing to do" in refresh(tmp_path / "other", TODAY)
    assert not (tmp_path / "other").exists()


def test_a_package_that_is_not_installed_is_said_with_how_to_install_it(tmp_path, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", missing)
    with pytest.raises(CannotRefreshError, match=r"genai-prices is not installed beside infertop: .*pipx inject"):
        refresh(tmp_path, TODAY)


def test_a_development_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "version", lambda _name: "1.0.dev3")
    with pytest.raises(CannotRefreshError, match=r"'1\.0\.dev3' is no version; install a released version"):
        refresh(tmp_path, TODAY)


@pytest.mark.parametrize(
    "providers",
    [
        [SimpleNamespace(id="acme")],
        [SimpleNamespace(id="acme", name="", provider_match=None, model_match=None, fallback_model_providers=None)],
        None,
        [None],
    ],
)
def test_a_package_in_another_form_is_refused_and_leaves_what_was_there(tmp_path, newer, monkeypatch, providers):
    refresh(tmp_path, TODAY)
    before = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(module, "version", lambda _name: "78.0")
    monkeypatch.setattr(module, "_providers", lambda: providers)
    with pytest.raises(CannotRefreshError, match=r"in a form that this infertop cannot read .*: upgrade infertop"):
        refresh(tmp_path, TODAY)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_package_that_fails_in_a_way_of_its_own_is_refused_in_a_sentence(tmp_path, newer, monkeypatch):
    def fails():
        raise RuntimeError("registry is closed")

    monkeypatch.setattr(module, "_providers", fails)
    with pytest.raises(CannotRefreshError, match=r"cannot read \(registry is closed\): upgrade infertop"):
        refresh(tmp_path, TODAY)


def test_a_folder_that_cannot_be_written_is_said(tmp_path, newer):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(
        CannotRefreshError, match=r"prices\.json cannot be written \(File exists\): the prices are still"
    ):
        refresh(tmp_path / "file", TODAY)


def test_a_write_that_fails_leaves_what_was_there_and_nothing_beside_it(tmp_path, newer, monkeypatch):
    refresh(tmp_path, TODAY)
    before = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(module, "version", lambda _name: "78.0")

    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("infertop.whole_file.os.fsync", full)
    with pytest.raises(CannotRefreshError, match=r"No space left on device"):
        refresh(tmp_path, TODAY)
    assert (tmp_path / FILE).read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [FILE]
