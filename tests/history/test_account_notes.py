"""What providers say of accounts: it stands until they say something else, and a viewer has it too."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from infertop.history.account_notes import KIND, accounts_of, content, standing
from infertop.history.follower import Follower
from infertop.history.writer import Writer
from infertop.readings.account import Account, Allowance, Balance, Bill, BillPage, ListPrice, Name, RateLimit
from infertop.readings.model import Batch, Covered
from tests.history.stating import MONDAY, say
from tests.history.world import deriver, opened

NOW = MONDAY + 7200.0
FULL = Account(
    balances=(Balance("deepseek", "CNY", Decimal("110.000000000000000001"), "granted"),),
    allowances=(
        Allowance("all", "openai", Decimal(5000), "month", (), Decimal("12.5"), (Decimal("0.8"),), True),
        Allowance("one", "openai", Decimal("0.5"), "", (("project", "proj_1"),)),
    ),
    rate_limits=(RateLimit("openai", "gpt-4o", "tokens", 30_000, 60, (("project", "proj_1"),)),),
    list_prices=(
        ListPrice("openrouter", "a/b", (("input", Decimal("0.15")), ("web_searches", Decimal("0.01"))), True),
    ),
    complete_until=NOW - 600,
)


def writer(path: Path, ts: float = NOW) -> Writer:
    return Writer(opened(path, ts), deriver(), ts, version="test")


def told(account: Account, ts: float = NOW, **more: object) -> Batch:
    return Batch("openai", ts, (), (), account=account, **more)  # type: ignore[arg-type]


def test_what_was_not_asked_goes_on_standing_and_what_is_gone_goes() -> None:
    bills = BillPage("openai", 0, 86_400, (Bill(0, 86_400, "openai", None, None, {}, 1),), 0)
    after = standing(FULL, Account(bills=(bills,), names=(Name("key", "k", "n"),), complete_until=NOW))
    assert (after.balances, after.allowances, after.complete_until) == (FULL.balances, FULL.allowances, NOW)
    assert (after.bills, after.names) == ((), None)
    assert standing(FULL, Account(balances=())).balances == ()
    assert standing(None, Account()) == Account()


def test_the_hour_in_which_a_provider_told_what_is_spent_is_noted_and_stands() -> None:
    heard = standing(None, FULL, NOW + 5)
    assert heard.spent_hour == NOW
    assert standing(heard, FULL, NOW + 3000) == heard
    assert standing(heard, Account(balances=()), NOW + 7200).spent_hour == NOW
    assert standing(None, Account(allowances=FULL.allowances and FULL.allowances[1:]), NOW).spent_hour is None
    assert accounts_of({f"{KIND}openai": [content(heard)]}) == {"openai": heard}


def test_it_is_the_same_after_json_and_what_cannot_be_read_is_left_out() -> None:
    bad = {**content(FULL), "balances": [["x", "USD", "a lot", ""]]}
    noted = {f"{KIND}openai": [content(FULL)], f"{KIND}odd": [bad], f"{KIND}older": [{}], "gpus": [{"uuid": "x"}]}
    assert accounts_of(noted) == {"openai": FULL}


def test_the_recorder_publishes_it_with_the_lines_of_the_same_poll_and_so_does_a_viewer(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = writer(path)
    page = [say(NOW - 660, 60, {"input": 1_000_000})]
    scope = (Covered(NOW - 1200, NOW, ""),)
    summary = to.tick([told(FULL, statements=tuple(page), covered=scope)], NOW)
    follower = Follower(path, NOW)
    for seen in (summary, follower.look(NOW).summary):
        assert seen.accounts == {"openai": replace(FULL, spent_hour=NOW)}
        (minute,) = (each for each in seen.minutes if each.start == NOW - 660)
        assert minute.totals["openai", "gpt-4o"].stated == {"input": 2_500_000_000}
        assert seen.providers["openai", "gpt-4o"] == ("openai",)
    later = to.tick([told(Account(complete_until=NOW - 540), NOW + 60)], NOW + 60)
    assert later.accounts["openai"].complete_until == NOW - 540
    assert follower.look(NOW + 60).summary.accounts == later.accounts
    follower.close()
    to.finish(NOW + 61)


def test_a_new_session_begins_without_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = writer(path)
    to.tick([told(FULL)], NOW)
    to.finish(NOW + 1)
    to = writer(path, NOW + 10)
    assert to.tick([], NOW + 10).accounts == {}
    follower = Follower(path, NOW + 10)
    assert follower.look(NOW + 10).summary.accounts == {}
    follower.close()
    to.finish(NOW + 11)
