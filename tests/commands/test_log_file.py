import logging
import stat

import pytest

from infertop.commands.log_file import keep_log


@pytest.fixture(autouse=True)
def _log_as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def test_what_is_logged_is_in_a_private_file_without_escape_codes(tmp_path):
    path = keep_log(tmp_path / "state")
    logging.getLogger("infertop.test").warning("red \x1b[31m")
    text = path.read_text()
    assert "WARNING infertop.test: red" in text
    assert "\x1b" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_costs_no_more_than_the_log(tmp_path):
    (tmp_path / "file").write_text("")
    assert keep_log(tmp_path / "file" / "state") is None


def test_a_second_screen_does_not_log_everything_twice(tmp_path):
    assert keep_log(tmp_path) == keep_log(tmp_path)
    logging.getLogger("infertop.test").warning("once")
    assert (tmp_path / "infertop.log").read_text().count("once") == 1
