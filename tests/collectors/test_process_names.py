import os
import subprocess
import sys

import pytest

from collectors._process_names import Names, program


@pytest.fixture(autouse=True)
def on_the_machine_itself(monkeypatch):
    monkeypatch.setattr("collectors._process_names.is_boxed", lambda: False)


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (
            ["/usr/bin/python3", "-m", "vllm.entrypoints.openai.api_server", "--api-key", "sk"],
            "vllm.entrypoints.openai.api_server",
        ),
        (["/opt/venv/bin/python3.11", "/opt/venv/bin/vllm", "serve", "secret"], "vllm"),
        (["python3", "-u", "-c", "import key"], "python3"),
        (["python"], "python"),
        (["bash", "run.sh"], "run.sh"),
        (["VLLM::EngineCore"], "VLLM::EngineCore"),
        (["sglang::scheduler_TP0 --key sk"], "sglang::scheduler_TP0"),
        (["/opt/tritonserver/bin/tritonserver", "--model-repository=/m"], "tritonserver"),
        (["", ""], ""),
        ([], ""),
    ],
)
def test_a_program_is_named_and_never_its_arguments(argv, name):
    assert program(argv) == name


def test_a_process_is_read_once_while_it_is_asked_for_and_forgotten_after(monkeypatch):
    asked = []
    monkeypatch.setattr("collectors._process_names._named", lambda pid: asked.append(pid) or {"name": f"p{pid}"})
    names = Names()
    for pids in ((1, 2), (1,), (1, 2)):
        names.next_reading()
        assert [names.of(pid) for pid in pids] == [{"name": f"p{pid}"} for pid in pids]
    assert asked == [1, 2, 2]


def test_names_are_read_again_after_a_while_because_processes_give_themselves_titles(monkeypatch):
    now = [0.0]
    asked = []
    monkeypatch.setattr("collectors._process_names.time.monotonic", lambda: now[0])
    monkeypatch.setattr("collectors._process_names._named", lambda pid: asked.append(pid) or {})
    names = Names()
    for now[0] in (0.0, 1.0, 29.0, 31.0):
        names.next_reading()
        names.of(1)
    assert asked == [1, 1]


def test_a_process_of_this_machine_has_a_name_and_a_user_and_one_that_is_gone_neither():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = Names()
    names.next_reading()
    assert names.of(os.getpid())["user"]
    assert names.of(ended.pid) == {}
    assert names.of(2**31) == {}


def test_a_title_that_is_no_text_becomes_some(monkeypatch):
    monkeypatch.setattr("psutil.Process.cmdline", lambda _: ["\udcff\x1b[2J::x"])
    names = Names()
    names.next_reading()
    assert names.of(os.getpid())["name"] == "?\x1b[2J::x"


def test_in_a_container_nobody_is_named_because_the_numbers_are_other_processes_here(monkeypatch):
    monkeypatch.setattr("collectors._process_names.is_boxed", lambda: True)
    names = Names()
    names.next_reading()
    assert names.of(os.getpid()) == {}
