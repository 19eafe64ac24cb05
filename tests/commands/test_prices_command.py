"""`infertop prices`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from infertop import cli
from infertop.commands import setup
from infertop.commands.book import data_folder
from infertop.history.drops import transaction
from infertop.history.ledger import Ledger
from infertop.history.open import open_store
from infertop.money.book.load import shipped
from infertop.money.lines import Basis, Line, Price
from tests.fakes import FakeClock

NOON = 1_795_348_800.0  # 22 November 2026, 12:00 UTC
OWN = """
[[model."gpt-4o"]]
input = 2
tiers = [{ above = 100000, input = 5 }]
from = 2026-11-01
[[model."gpt-4o"]]
input = 1
from = 2027-01-01
[model."llama*"]
provider = "local"
input = 0.6
[provider."anthropic"]
factor = 0.9
[gpu.H100]
purchase_usd = 25000
lifetime_years = 4
residual_usd = 2000
[energy]
usd_per_kwh = 0.2
pue = 1.3
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `infertop prices WORDS` at noon over pricing.toml in `tmp_path`."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("INFERTOP_PRICING", raising=False)
    monkeypatch.setattr(setup, "SystemClock", lambda: FakeClock(NOON))
    file = tmp_path / "pricing.toml"
    file.write_text("")

    def run(*words: str, own: str = "") -> tuple[int, str, str]:
        file.write_text(own)
        status = cli.main(["prices", *words, "--pricing", str(file), "--db", str(tmp_path / "x.db")])
        out, said = capsys.readouterr()
        long = [
            line for line in out.splitlines() if len(line) > 80 and str(tmp_path) not in line and "[model" not in line
        ]
        assert "--json" in words or not long
        return status, out, said

    return run


def only(found: tuple[int, str, str]) -> Any:
    status, out, said = found
    assert (status, said) == (0, "")
    (name,) = json.loads(out)["names"]
    return name


def test_a_model_has_its_classes_source_and_age(prices: Run) -> None:
    status, out, _ = prices("gpt-4o", "--provider", "openai")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert status == 0
    assert lines[0] == "gpt-4o openai, context 128,000 tokens"
    assert lines[1] == f"USD per 1M tokens, {shipped().name}, 12 days old"
    assert "CLASS PRICE BATCH PRIORITY/FAST FROM" in lines
    assert "input 2.5 1.25 4.25" in lines
    assert "output 10 5 17" in lines
    assert "batch since 2026-10-14" in lines
    assert "web_searches 10 USD per 1,000" in lines


def test_others_that_the_name_may_mean_are_listed_within_bounds(prices: Run) -> None:
    status, out, _ = prices("sonnet")
    assert status == 0
    assert out.startswith("models with sonnet, USD per 1M tokens")
    assert len(out.splitlines()) < 30
    assert "more: write more of the name, or --provider" in out


def test_what_pricing_toml_changes_is_shown_beside_the_list(prices: Run) -> None:
    _, out, _ = prices("gpt-4o", "--provider", "openai", own=OWN)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "USD per 1M tokens, pricing.toml:3" in lines
    assert "since 2026-11-01 (list 2.5)" in " ".join(lines)
    assert "above 100,000 prompt tokens, for all of a request: input 5" in lines
    assert "in force since 2026-11-01, until 2027-01-01" in lines
    assert "at first until 2026-11-01: input 2.5, cache_read 1.25, output 10" in lines
    assert "from 2027-01-01: input 1, cache_read 1.25, output 10" in lines
    _, out, _ = prices("claude-sonnet-5", "--provider", "anthropic", own=OWN)
    assert "(list 2)" in out
    assert "factor:0.9" in out


def test_a_model_of_ones_own_has_its_shadow_price(prices: Run) -> None:
    model = only(prices("llama-3-70b", "--json", own=OWN))["models"][0]
    assert (model["provider"], model["matched"]) == ("local", "llama*")
    assert model["prices"]["input"]["usd"] == "0.6"
    assert model["prices"]["input"]["source"].startswith("pricing.toml:")


def test_a_price_at_another_time_and_in_another_way(prices: Run) -> None:
    (then,) = only(prices("o3", "--provider", "openai", "--at", "2025-05-01", "--json"))["models"]
    assert then["prices"]["input"]["usd"] == "10"
    assert [(each["start"], each["prices"]["input"]["usd"]) for each in then["changes"]] == [
        ("2025-06-10T00:00:00Z", "2")
    ]
    _, out, _ = prices("gpt-5-mini", "--provider", "openai", "--tier", "flex")
    assert "USD per 1M tokens (flex)" in out
    _, out, _ = prices("gpt-5", "--provider", "azure", "--batch")
    assert "listed_by:openai, standard_rate:batch" in out


def test_a_price_by_the_hour_says_when_it_changes(prices: Run) -> None:
    (model,) = only(prices("deepseek-chat", "--provider", "deepseek", "--json"))["models"]
    assert [each["start"] for each in model["next_hours"][:2]] == ["2026-11-22T16:30:00Z", "2026-11-23T00:30:00Z"]
    assert model["next_hours"][0]["prices"]["input"]["usd"] == "0.135"
    _, out, _ = prices("deepseek-chat", "--provider", "deepseek")
    assert "from Sun 2026-11-22 16:30 UTC: input 0.135, cache_read 0.035, output 0.55" in out


def test_a_correction_gives_its_reason(prices: Run) -> None:
    _, out, _ = prices("mistral-large-latest", "--provider", "mistral")
    assert "corrected: The list still has this alias at Mistral Large 2's prices" in " ".join(out.split())


def test_an_unknown_model_is_told_with_what_to_paste(prices: Run) -> None:
    status, out, _ = prices("gpt-4o-minni", "--provider", "acme")
    assert status == 1
    assert '[model."gpt-4o-minni"]' in out
    assert 'provider = "acme"' in out
    assert "is it one of these? gpt-4o-mini" in out
    assert prices("gpt-4o", "no-such-model-at-all")[0] == 1


@pytest.mark.parametrize("name", ['x"]\ny', "\x1b[2Jx", "‮evil", "x" * 5000])
def test_a_hostile_name_reaches_no_terminal(prices: Run, name: str) -> None:
    status, out, _ = prices(name)
    assert status == 1
    assert all(each.isprintable() for each in out.splitlines())


def test_a_gpu_has_formula_source_range_and_what_to_paste(prices: Run) -> None:
    status, out, _ = prices("NVIDIA", "H100", "80GB", "HBM3")
    assert status == 0
    assert out.startswith("NVIDIA H100 80GB HBM3  GPU H100  2.95 USD/h")
    for told in ("on offer from 2.29 to 4.29 USD/h", "board power 700 W", "1/7 of the compute = 0.421429 USD/h"):
        assert told in " ".join(out.split())
    assert '    [gpu."NVIDIA H100 80GB HBM3"]\n    usd_per_hour = 2.95' in out


def test_a_slice_is_priced_of_every_gpu_that_can_be_divided_and_of_no_other(prices: Run) -> None:
    _, out, _ = prices("RTXPRO5000", own="[gpu.RTXPRO5000]\nusd_per_hour = 1.5\n")
    assert "a MIG slice: 1/2 of the compute = 0.75 USD/h" in out
    (whole, undivided) = (only(prices(name, "--json"))["gpus"][0]["compute_slices"] for name in ("H100", "T4"))
    assert (whole, undivided) == (7, None)
    assert "MIG" not in prices("T4")[1]


def test_an_owned_gpu_has_its_amortisation_and_energy(prices: Run) -> None:
    _, out, _ = prices("H100", own=OWN)
    told = " ".join(out.split())
    assert "(25000 - 2000) USD / (4 years x 8760 h x availability 1)" in told
    assert "0.2 USD/kWh (pricing.toml:19) x PUE 1.3 = 0.26 USD/kWh" in told
    assert "put what you pay" not in told
    (gpu,) = only(prices("H100", "--json", own=OWN))["gpus"]
    assert (gpu["usd_per_hour"], gpu["owned"], gpu["default"]) == ("0.656392694064", True, False)


def test_a_gpu_of_no_known_kind_is_a_gpu_all_the_same(prices: Run) -> None:
    status, out, _ = prices("NVIDIA Foo 9000")
    assert status == 1
    assert '[gpu."NVIDIA Foo 9000"]' in out
    assert "[model" not in out
    status, out, _ = prices("NVIDIA", "Foo", "9000", own='[gpu."NVIDIA Foo 9000"]\nusd_per_hour = 4\n')
    assert (status, out.splitlines()[0]) == (0, "NVIDIA Foo 9000  GPU of an unknown kind  4 USD/h")
    each = [part["name"] for part in json.loads(prices("NVIDIA Foo 9000", "H100", "gpt-4o", "--json")[1])["names"]]
    assert each == ["NVIDIA Foo 9000", "H100", "gpt-4o"]
    assert prices("the rack", own='[gpu."the rack"]\nusd_per_hour = 4\n')[1].splitlines()[1] == "  pricing.toml:2"


def test_what_is_counted_beside_tokens_has_its_other_prices_source_and_least(prices: Run) -> None:
    own = "[model.gpt-4o]\nweb_searches = 0.02\n"
    _, out, _ = prices("gpt-4o", own=own)
    assert "web_searches 0.02 USD per 1, pricing.toml:2 (list 10 per 1,000)" in " ".join(out.split())
    _, out, _ = prices("whisper-large-v3")
    assert "CLASS" not in out
    said = " ".join(out.split())
    assert "audio_seconds 0.111 USD per 3,600, batch 0.0555, at least 10 each time" in said


def test_tiers_of_every_way_of_processing_are_told(prices: Run) -> None:
    _, out, _ = prices("gemini-2.5-pro")
    said = " ".join(out.split())
    assert "above 200,000 prompt tokens, for all of a request: input 2.5, cache_read 0.25, output 15" in said
    assert "batch above 200,000 prompt tokens, for all of a request: input 1.25, cache_read 0.25, output 7.5" in said


def test_a_factor_on_no_list_is_told_to_change_nothing(prices: Run) -> None:
    own = "[provider.opennai]\nfactor = 0.9\n[provider.vertex]\nfactor = 0.8\n"
    said = " ".join(prices(own=own)[1].split())
    assert "provider opennai: list prices x 0.9, but no list is of that name: it changes nothing" in said
    assert said.endswith("provider vertex: list prices x 0.8")


def test_energy_is_told_with_its_hours_and_date(prices: Run) -> None:
    own = "[energy]\nusd_per_kwh = 0.2\npue = 1.3\nfrom = 2026-10-26\n"
    own += '[[energy.tariff]]\nfrom = "22:00"\nto = "06:00"\nusd_per_kwh = 0.09\n'
    said = " ".join(prices(own=own)[1].split())
    assert "energy 0.2 USD/kWh, 22:00-06:00 0.09 x PUE 1.3 from 2026-10-26" in said


def test_refreshed_prices_that_cannot_be_read_are_told_wherever_prices_are_used(prices: Run) -> None:
    file = data_folder() / "prices.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    status, out, said = prices("gpt-4o")
    assert (status, "snapshot 2026-11-10" in out) == (0, True)
    assert f"infertop: {file}: these refreshed prices are ignored, because it is no JSON" in said


def test_a_part_of_a_name_lists_the_gpus_that_have_it(prices: Run) -> None:
    assert [each["name"] for each in only(prices("A100", "--json"))["gpus"]] == ["A100", "A100-80GB", "A100-40GB"]
    _, out, _ = prices("RTX")
    assert "RTX4090" in out
    assert "0.34 to 0.74" in out


def test_without_a_name_it_says_what_the_book_is(prices: Run) -> None:
    status, out, _ = prices(own=OWN)
    assert status == 0
    assert out.startswith(f"list prices    {shipped().name} of genai-prices {shipped().version}, 12 days old")
    told = " ".join(out.split())
    assert "mistral mistral-large-latest: The list still has this alias" in told
    for own in (
        "pricing.toml:2 model gpt-4o: input 2, above 100,000 other prices, from 2026-11-01",
        "provider anthropic: list prices x 0.9",
        "H100: (25000 - 2000) USD",
        "energy 0.2 USD/kWh",
    ):
        assert own in told
    about = json.loads(prices("--json")[1])
    assert (about["name"], about["age_days"]) == (shipped().name, 12)


def test_wrong_use_is_told(prices: Run) -> None:
    assert prices("gpt-4o", "--at", "noon")[0] == 2
    assert prices(*["x"] * 30)[0] == 2
    assert prices("gpt-4o", " ")[0] == 2


USED = Line(0, 60, "openai", "openai", "gpt-new", "input", (), 40, "tokens", None, None, Basis.COMPUTED)
PRICE = Price("gpt-4o", Decimal("2.5"), "1M tokens", "pricing.toml:4")
EVIL = "\x1b[2J\u202eevil"


@pytest.fixture
def history(tmp_path: Path) -> None:
    """Models without a price and with one, used lately and long ago."""
    lines = (
        used(2),
        used(1, resource="output", quantity=2, dimensions=(("key", "a"),)),
        used(3, model="claude-soon", provider="anthropic", quantity=1_000_000),
        used(40, model="long-ago"),
        used(1, model="gpt-4o", price=PRICE, usd_nano=7),
        used(1, model="llama", provider="local"),
        used(1, model=EVIL, provider="acme", quantity=1),
    )
    store = open_store(tmp_path / "x.db", NOON)
    assert store.connection is not None
    ledger = Ledger(store.connection)
    ledger.close(sorted(lines, key=lambda line: line.start))
    with transaction(store.connection):
        ledger.write(store.connection)
    store.close()


def used(days_ago: float, **more: Any) -> Line:
    start = int(NOON - days_ago * 86400)
    return replace(USED, start=start, end=start + 60, **more)


def test_what_was_used_without_a_price_is_listed_with_what_to_paste(prices: Run, history: None) -> None:
    status, out, said = prices("--unpriced")
    assert (status, said) == (0, "")
    rows = [line.split() for line in out.splitlines()[2:5]]
    assert rows[0][:3] == ["anthropic", "claude-soon", "1,000,000"]
    assert rows[1] == ["openai", "gpt-new", "42", "2026-11-21", "12:01", "UTC"]
    assert '[model."gpt-new"]\nprovider = "openai"\ninput = 0.00' in out
    assert "output = 0.00" in out
    assert "long-ago" not in out
    assert "llama" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert all(line.isprintable() for line in out.splitlines())


def test_unpriced_is_told_to_a_script_as_recorded(prices: Run, history: None) -> None:
    _, out, _ = prices("--unpriced", "--since", "60d", "--json")
    rows = json.loads(out)["rows"]
    assert [each["model"] for each in rows] == ["claude-soon", "gpt-new", "long-ago", EVIL]
    assert rows[1]["tokens"] == {"input": 40, "output": 2}
    assert rows[1]["last"] == "2026-11-21T12:01:00Z"


def test_with_a_price_for_all_it_says_so(prices: Run, history: None) -> None:
    status, out, _ = prices("--unpriced", "--since", "30m")
    assert (status, out) == (0, "since 2026-11-22T11:30:00Z every token that should have a price has one\n")


def test_without_a_history_unpriced_says_so(prices: Run) -> None:
    status, out, said = prices("--unpriced")
    assert (status, out) == (1, "")
    assert "there is no history" in said


def test_a_refresh_without_a_newer_package_says_what_to_do(prices: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infertop.money.book.refresh.version", lambda _: shipped().version)
    status, out, _ = prices("--refresh")
    assert status == 0
    assert "nothing to do" in " ".join(out.split())

    def missing(_: str) -> str:
        raise PackageNotFoundError("genai-prices")

    monkeypatch.setattr("infertop.money.book.refresh.version", missing)
    status, out, said = prices("--refresh")
    assert (status, out) == (1, "")
    assert said.startswith("infertop: genai-prices is not installed beside infertop: install it with")


def test_no_line_is_wider_than_a_terminal(prices: Run) -> None:
    """Some lists have prices with seventeen digits."""
    _, out, _ = prices("Qwen/Qwen3-30B-A3B-Thinking-2507", "meta-llama/Llama-3.3-70B-Instruct")
    assert " 1.04 " in out
    assert max(map(len, out.splitlines())) <= 80
