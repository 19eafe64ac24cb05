"""Which files a history may take the place of, and which are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from infertop.history.open import Mode, open_store
from tests.history.world import START, record, writer


@pytest.mark.parametrize("content", [b"[host]\nusd_per_hour = 0.4\n", b"\x00" * 9000])
def test_a_file_that_is_no_database_is_left_alone_where_it_has_not_our_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(content)
    store = open_store(path, START)
    assert store.mode is Mode.MEMORY
    assert f"{path} is no database and was left alone; choose another --db" in store.notices[0]
    store.close()
    assert path.read_bytes() == content
    assert not list(tmp_path.glob("*.corrupt-*"))


def test_a_damaged_file_that_an_infertop_wrote_is_moved_aside_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "spending"
    made = writer(path, START)
    record(made, 0, 200)
    made.finish(START + 200)
    path.write_bytes(b"\xff" * 9000)
    store = open_store(path, START + 300)
    assert store.mode is Mode.WRITER
    assert list(tmp_path.glob("spending.corrupt-*"))
    store.close()
