"""`infertop whatif`, as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from infertop import cli
from infertop.commands import setup
from infertop.commands.whatif_text import WIDTH
from infertop.views.whatif_shapes import Alternative, BreakEven, Saving, Scale, WhatIf, WhatIfPage
from tests.fakes import FakeClock
from tests.views.random_views import HOSTILE
from tests.whatif_world import API, LLAMA, NOON, OWN, PRICING, VLLM, engine_hour, gpu, minute, record, tokens

Said = tuple[int, str, str]
Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type `infertop whatif` with these words; return the exit status, and what went to stdout and stderr."""
    monkeypatch.setattr(setup, "SystemClock", lambda: FakeClock(NOON))
    database, pricing = tmp_path / "x.db", tmp_path / "pricing.toml"
    pricing.write_text(PRICING)
    api = [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(API, input=100_000, output=10_000))]
    record(database, [*engine_hour(per_minute=6400), *api])

    def typed(*words: str) -> Said:
        try:
            status = cli.main(["whatif", "--db", str(database), "--pricing", str(pricing), *words])
        except SystemExit as error:
            status = int(str(error.code))
        return status, *capsys.readouterr()

    return typed


def test_the_text_is_for_a_person_on_80_columns(run: Run) -> None:
    status, out, err = run("--model", "llama*", "--to", "openai/gpt-4o", "--to", "openai/gpt-4o-mini")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "2026-11-22T11:00:00Z to 2026-11-22T12:00:00Z, 100.0% of it recorded"
    assert lines[2] == f"{LLAMA} on {VLLM}"
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(out.split())
    assert "120 requests, 768 k input, 384 k output; 1.00 GPUs (NVIDIA A100-SXM4-80GB); $3.00 an hour, measured" in text
    assert "than openai/gpt-4o (5.00/1M): from 14.4 M tokens a day on, 26 % full; now 27.6 M a day" in text
    assert "never on this GPU: it would need 240 M tokens a day, it can serve 55.3 M (434 %)" in text
    assert "price: snapshot 2026-11-10" in text
    assert "price: gpu rate pricing.toml:2" in text
    table = {each.split()[0]: each.split()[1:] for each in lines if each.startswith(("openai/", "10x", "100x"))}
    assert table["openai/gpt-4o"][:4] == ["5.76", "1.92", "0.0480", "5.00"]
    assert table["10x"][:5] == ["3.2", "k", "3.46", "5", "15.00"]


def test_without_a_destination_there_are_about_20_and_how_many_more(run: Run) -> None:
    _, out, _ = run("--source", "openai")
    rows = [line for line in out.splitlines() if line.endswith("]")]
    assert 15 <= len(rows) <= 24
    assert "more models are listed: --all, or --to PATTERN" in " ".join(out.split())
    _, every, _ = run("--source", "openai", "--all")
    assert len([line for line in every.splitlines() if line.endswith("]")]) > 1000


def test_savings_have_names_of_their_own(run: Run) -> None:
    _, out, _ = run("--source", "openai")
    text = " ".join(out.split())
    assert "cache, to be had: $7.50/h, at most, if all 6 M were read, by snapshot" in text
    _, out, _ = run("--json")
    for each in json.loads(out)["subjects"]:
        names = [row["name"] for row in each["savings"]]
        assert len(set(names)) == len(names)


def keys_of(shape: type) -> set[str]:
    return {each.name for each in fields(shape)}


def test_the_json_has_the_shapes_and_plain_numbers(run: Run) -> None:
    status, out, err = run("--json", "--to", "openai/gpt-4*", "--gpu", "H100", "--tokens-per-second", "500")
    assert (status, err) == (0, "")
    said = json.loads(out)
    assert (said["schema"], said["at"], said["since"]) == (1, "2026-11-22T12:00:00Z", "2026-11-22T11:00:00Z")
    assert set(said) == keys_of(WhatIfPage) | {"schema"}
    everything, *subjects = said["subjects"]
    assert (everything["model"], everything["provider"]) == ("(all)", None)
    for each in said["subjects"]:
        assert set(each) == keys_of(WhatIf)
        assert all(set(row) == keys_of(Alternative) for row in each["alternatives"])
    assert all(set(row) == keys_of(BreakEven) for each in subjects for row in each["break_even"])
    assert all(set(row) == keys_of(Scale) for each in subjects for row in each["scale"])
    assert any(set(row) == keys_of(Saving) for each in subjects for row in each["savings"])
    asked = next(each for each in subjects if each["model"] == "gpt-4o")
    assert asked["usd_per_hour"] == pytest.approx(1.2)
    assert asked["requests"] is None
    assert asked["capacity_tokens_per_second"] == 500
    assert [row["own_gpus"] for row in asked["scale"]] == [4, 37, 367]


def test_the_scale_is_what_was_asked_for(run: Run) -> None:
    _, out, _ = run("--json", "--model", "llama*", "--scale", "0.5, 4")
    (engine,) = json.loads(out)["subjects"]
    assert [(row["factor"], row["own_gpus"]) for row in engine["scale"]] == [(0.5, 1), (4, 2)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "lately"), '"lately" is no time that infertop knows'),
        (("--since", "today", "--until", "yesterday"), "--until (yesterday) is not after --since (today)"),
        (("--scale", "1,x"), '--scale "1,x" must be factors above 0 like 1,10,100'),
        (("--scale", "0"), "must be factors above 0"),
        (("--scale", "nan"), "must be factors above 0"),
        (("--gpu", "A100"), '--gpu "A100" comes at more than one price: name A100-40GB or A100-80GB'),
        (("--gpu", "Abacus\x1b[2J"), "is no GPU that infertop knows"),
        (("--tokens-per-second", "-3"), "must be a number above 0"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_and_says_what_could(run: Run, words: tuple[str, ...], says: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert says in err
    assert "\x1b" not in err


def test_where_nothing_was_recorded_it_ends_with_1_and_says_so(run: Run, tmp_path: Path) -> None:
    status, out, err = run("--since", "2025-01-01", "--until", "2025-01-02")
    assert (status, out) == (1, "")
    assert "nothing was recorded in this time: infertop record collects" in err
    status, out, err = run("--model", "nothing*", "--json")
    assert (status, json.loads(out)["subjects"]) == (1, [])
    assert "matches --model and --source" in err
    status, out, err = run("--db", str(tmp_path / "none.db"))
    assert (status, out) == (1, "")
    assert "infertop record makes one" in err


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_outside_reach_no_terminal_as_they_are(run: Run, tmp_path: Path, name: str) -> None:
    named = [replace(each, model=f"m{name}", source=f"s{name}") for each in (*tokens(OWN, output=9), *gpu(30_000))]
    record(tmp_path / "hostile.db", list(minute(3, *named)))
    status, out, err = run("--db", str(tmp_path / "hostile.db"))
    assert (status, err) == (0, "")
    assert all(line.isprintable() for line in out.splitlines())
    status, out, _ = run("--db", str(tmp_path / "hostile.db"), "--json")
    assert json.loads(out)["subjects"][0]["model"] is not None


def test_it_loads_neither_screen_nor_collectors(run: Run, tmp_path: Path) -> None:
    code = (
        "import sys; from infertop import cli; cli.main(sys.argv[1:]); "
        "print([m for m in ('textual', 'httpx', 'pynvml', 'psutil', 'collectors.vllm') if m in sys.modules], "
        "file=sys.stderr)"
    )
    words: list[Any] = ["whatif", "--db", tmp_path / "x.db", "--pricing", tmp_path / "pricing.toml"]
    words += ["--since", "2026-11-22T11:00:00Z", "--until", "2026-11-22T12:00:00Z"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]\n"
    assert "gpt-4o on openai" in done.stdout


def test_growth_at_ones_own_price_is_headed_by_its_name(run: Run) -> None:
    _, out, _ = run("--model", "llama*")
    assert "SHADOW $/H" in out
    assert "API $/H" not in out
    assert "SHADOW: the price that you set for it, which is no cost" in " ".join(out.split())
    assert "API $/H" in run("--model", "gpt-4o")[1]
