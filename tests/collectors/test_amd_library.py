"""How AMD's library is loaded, opened and waited for."""

import asyncio
import sys
import threading

import pytest

from collectors._amd_library import load
from infertop.engine.collector import State, Unavailable
from tests.amd.standin import DRIVER_NOT_LOADED, NO_PERM, NOT_INIT
from tests.collectors.amd_reading import NOW, collector, said


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        (DRIVER_NOT_LOADED, State.ABSENT, "modprobe amdgpu"),
        (NO_PERM, State.DOWN, "`render` and `video`"),
        (18, State.DOWN, "cannot be started: AMDSMI_STATUS_18"),
    ],
)
async def test_a_start_that_fails_says_what_to_do(amdsmi, code, state, words):
    amdsmi.fails = code
    async with collector() as amd:
        with pytest.raises(Unavailable, match=words) as problem:
            await amd.collect(NOW)
        assert problem.value.state is state
        amdsmi.fails = None
        assert said(await amd.collect(NOW + 1))


async def test_a_library_that_was_shut_down_is_opened_again(amdsmi):
    async with collector() as amd:
        await amd.collect(NOW)
        amdsmi.fails = NOT_INIT
        with pytest.raises(Unavailable, match="opened again"):
            await amd.collect(NOW + 1)
        amdsmi.fails = None
        assert said(await amd.collect(NOW + 2))
        assert amdsmi.initialised == 1
    assert amdsmi.initialised == 0


async def test_a_machine_without_an_amd_gpu_says_so(amdsmi):
    amdsmi.gpus = []
    async with collector() as amd:
        with pytest.raises(Unavailable, match="no AMD GPU") as problem:
            await amd.collect(NOW)
    assert problem.value.state is State.ABSENT


async def test_a_driver_that_hangs_is_named_and_does_not_hold_up_anybody(amdsmi):
    amdsmi.hangs = threading.Event()
    try:
        async with asyncio.timeout(2), collector(deadline=0.05) as amd:
            with pytest.raises(Unavailable, match="has not answered for") as problem:
                await amd.collect(NOW)
            assert problem.value.state is State.STALE
            amdsmi.hangs.set()
    finally:
        amdsmi.hangs.set()


def test_without_the_bindings_it_says_how_to_install_them(monkeypatch):
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"infertop\[amd\]") as problem:
        load()
    assert problem.value.state is State.ABSENT


def test_bindings_without_their_library_are_not_imported_because_they_would_print(monkeypatch, tmp_path, capsys):
    (tmp_path / "amdsmi.py").write_text("print('to the screen')\n")
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Unavailable, match=r"libamd_smi\.so is not found"):
        load()
    assert capsys.readouterr().out == ""
    assert "amdsmi" not in sys.modules


def test_bindings_of_another_release_than_the_library_say_so(monkeypatch, tmp_path):
    (tmp_path / "amdsmi.py").write_text("raise AttributeError('undefined symbol: amdsmi_get_x\\x1b[2J')\n")
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("collectors._amd_library._is_there", lambda _: True)
    with pytest.raises(Unavailable, match="does not fit") as problem:
        load()
    assert "\x1b" not in problem.value.sentence
