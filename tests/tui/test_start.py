"""What the first picture waits for."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = (
    "httpx",
    "sqlite_utils",
    "sqlite3",
    "psutil",
    "pynvml",
    "tiktoken",
    "collectors",
    "infertop.engine",
    "infertop.history",
)


def test_the_screen_loads_nothing_heavy_and_nothing_of_what_feeds_it():
    program = "import sys, tui.app; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert [name for name in HEAVY if name in loaded] == []
    assert "textual.widgets._data_table" not in loaded


def test_app_py_is_wiring_and_files_fit_the_eye():
    assert len((ROOT / "tui" / "app.py").read_text().splitlines()) < 150
    for path in (ROOT / "tui").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path
