"""The page of providers from a history: spend by who used it, settled and unsettled, drift, names, what is unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from infertop.commands.known import tellers
from infertop.commands.past import past
from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.history.reader import Reader
from infertop.history.report import report
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.money.baseline import Baselines
from infertop.money.settings import Assignment, Settings
from infertop.readings.account import Account, Allowance, Balance, Bill, BillPage, ListPrice, Name, RateLimit
from infertop.readings.model import Batch, Covered, Statement
from infertop.views.account_books import BookReading
from infertop.views.account_shapes import AccountsPage, Within
from infertop.views.accounts import accounts_page
from infertop.views.api_rates import api_rates
from infertop.views.costs import costs
from infertop.views.explain import figures
from infertop.views.facts import Facts
from infertop.views.meters import Meters
from infertop.views.overview import overview
from infertop.views.shapes import Explained
from tests.history.stating import DAY, MONDAY, say
from tests.history.test_account_notes import writer
from tests.money.tape import book
from tests.views.calculator import check

NOW = MONDAY + 2 * DAY + 43_200.0  # Wednesday noon; the month is July, which began on a Wednesday
SETTINGS = Settings(assignments=(Assignment((("key", "prod*"),), (("team", "support"),), "x:1"),))
MILLION = {"input": 1_000_000}  # $2.50 of gpt-4o
NAMES = (Name("key", "key_1", "prod bot"), Name("key", "key_2", "notebook"), Name("project", "proj_1", "Bots"))


def bill(day: int, model: str | None, usd_nano: int, text: str = "") -> Bill:
    start = MONDAY + day * DAY
    return Bill(start, start + DAY, "openai", model, "input" if model else None, {}, usd_nano, text)


def told() -> Batch:
    """Monday and Tuesday by the hour, today's last hours by the minute; bills of both days."""
    said = [
        say(MONDAY + 3600, 3600, MILLION, dimensions={"key": "key_1", "project": "proj_1"}),
        say(MONDAY + DAY + 3600, 3600, MILLION, dimensions={"key": "key_1", "project": "proj_1"}),
        say(MONDAY + DAY + 7200, 3600, MILLION, dimensions={"key": "key_2"}),
        say(NOW - 1200, 60, {"input": 100_000}, dimensions={"key": "key_1", "project": "proj_1"}, requests=4),
        say(NOW - 1140, 60, {"input": 7_000}, dimensions={"key": "key_2"}, model="acme-1"),
    ]
    monday = BillPage(
        "openai", MONDAY, MONDAY + DAY, (bill(0, "gpt-4o", 2 * 10**9), bill(0, None, 10**9, "tools")), DAY
    )
    tuesday = BillPage("openai", MONDAY + DAY, MONDAY + 2 * DAY, (bill(1, "gpt-4o", 4_500_000_000),), DAY)
    account = Account(
        bills=(monday, tuesday),
        names=NAMES,
        balances=(Balance("openai", "EUR", Decimal("12.5"), "granted"),),
        allowances=(
            Allowance("limit of proj_1", "openai", Decimal(200), "month", (("project", "proj_1"),), Decimal(3)),
        ),
        rate_limits=(RateLimit("openai", "gpt-4o", "requests", 500, 60),),
        list_prices=(ListPrice("openai", "gpt-4o", (("input", Decimal("2.5")), ("output", Decimal(10)))),),
        complete_until=NOW - 600,
    )
    covered = (Covered(MONDAY - DAY, NOW, ""),)
    return Batch("openai", NOW, (), (), statements=tuple(said), covered=covered, account=account)


class World:
    """A history with a provider's account in it, and what is known at noon."""

    def __init__(self, path: Path, said: Batch | None = None) -> None:
        to = writer(path, NOW - 5)
        to.rescope(Scopes(SETTINGS))
        to.tick([said or told()], NOW)
        self.summary: Summary = to.tick([], NOW + 0.1)
        to.finish(NOW + 0.5)
        self.reader = Reader(path)
        self.reading = BookReading()

    def facts(self, state: SourceState = SourceState.UP, detail: str = "", rejected: int = 0) -> Facts:
        live = State()
        live.apply_health(
            Health(
                "openai",
                "openai",
                state,
                NOW - 20,
                NOW - 20,
                0.1,
                rejected=rejected,
                detail=detail,
                interval_seconds=60,
            )
        )
        live.apply(Batch("openai", NOW - 20, (), ()))
        meters, prices = Meters(live, 60.0), book()
        api = api_rates(self.summary, tellers(live.healths(), self.summary.accounts), NOW)
        spent = replace(costs((), meters, prices, NOW, frozenset()), told=api.usd_per_hour)
        return Facts(
            now=NOW,
            state=live,
            healths=live.healths(),
            meters=meters,
            prices=prices,
            costs=spent,
            past=past(self.summary, SETTINGS, spent, Baselines(2.0), (), NOW, api),
            interval_seconds=1.0,
            timezone="UTC",
            host="box",
            mode="live",
            api=api,
            accounts=self.summary.accounts,
        )

    def page(self, by: str = "model", *within: tuple[str, str], **more: object) -> AccountsPage:
        facts = self.facts(**more)  # type: ignore[arg-type]
        read = self.reader.ask(self.reading.read, facts.api.windows, Scopes(SETTINGS), NOW)
        limits: Within = within
        return accounts_page(facts, read, by, limits)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("accounts") / "x.db")


def parts(page: AccountsPage) -> dict[str, tuple[float | None, float | None]]:
    return {row.name: (row.today_usd, row.month_usd) for row in page.parts}


def test_an_account_has_its_spend_now_today_and_this_month_settled_and_not(world: World) -> None:
    (row,) = world.page().accounts
    assert row.usd_per_hour == pytest.approx(1.0)
    assert (row.today_usd, row.age_seconds) == (pytest.approx(0.25), 600.0)
    # Monday is settled at what it was billed, 3.0; Tuesday as computed, 5.0.
    assert row.month_usd == pytest.approx(8.25)
    assert (row.settled_usd, row.unsettled_usd) == (pytest.approx(3.0), pytest.approx(5.25))


def test_drift_is_that_of_the_settled_days_and_each_day_has_its_own(world: World) -> None:
    (row,) = world.page().accounts
    assert (row.drift_usd, row.drift_ratio) == (pytest.approx(0.5), pytest.approx(0.2))
    tuesday, monday = row.days
    assert (tuesday.settled, tuesday.drift_usd, tuesday.settles_at) == (False, pytest.approx(-0.5), MONDAY + 3 * DAY)
    assert (monday.settled, monday.unmatched_usd, monday.rows) == (True, 1.0, (("tools", 1.0),))


def test_spend_is_divided_by_names_and_by_what_is_assigned(world: World) -> None:
    assert parts(world.page("key")) == {
        "prod bot": (pytest.approx(0.25), pytest.approx(4.75)),
        "notebook": (None, pytest.approx(2.5)),
        "(none)": (None, pytest.approx(1.0)),
    }
    assert parts(world.page("project")).keys() == {"Bots", "(none)"}
    teams = parts(world.page("team"))
    assert teams["support"][0] == pytest.approx(0.25)


def test_parts_sum_to_the_month_whatever_they_are_by(world: World) -> None:
    for by in ("model", "key", "project", "user", "team"):
        page = world.page(by)
        assert sum(row.month_usd or 0.0 for row in page.parts) == pytest.approx(8.25)
        assert sum(row.share or 0.0 for row in page.parts) == pytest.approx(1.0)


def test_going_into_a_part_leaves_that_part_alone(world: World) -> None:
    page = world.page("key", ("source", "openai"), ("model", "gpt-4o"))
    assert parts(page).keys() == {"prod bot", "notebook"}
    assert world.page("model", ("source", "elsewhere")).parts == ()
    assert parts(world.page("model", ("key", "(none)"))) == {"(none)": (None, pytest.approx(1.0))}


def charged(*more: Statement) -> Batch:
    """A provider that tells what it charged and nothing else, and what else is given."""
    bare = say(NOW - 1200, 60, {}, usd_nano=3 * 10**9, basis="billed")
    account, covered = Account(complete_until=NOW - 600), (Covered(MONDAY - DAY, NOW, ""),)
    return Batch("openai", NOW, (), (), statements=(bare, *more), covered=covered, account=account)


def test_a_part_of_which_dollars_alone_are_told_has_unknown_tokens_rather_than_none(tmp_path: Path) -> None:
    (part,) = World(tmp_path / "x.db", charged()).page().parts
    assert (part.today_usd, part.tokens, part.requests) == (pytest.approx(3.0), None, None)


def test_usage_that_is_told_with_its_charge_awaits_no_bill(tmp_path: Path) -> None:
    (row,) = World(tmp_path / "x.db", charged()).page().accounts
    assert ("bills", "its usage is told with what it charged: nothing of it is computed") in row.lines
    assert not [line for line in row.told if "times prices" in line]


def test_what_was_charged_and_what_is_computed_of_a_month_are_told_apart(tmp_path: Path) -> None:
    computed = say(NOW - 1140, 60, {"input": 100_000})
    (both,) = World(tmp_path / "x.db", charged(computed)).page().accounts
    assert both.month_usd == pytest.approx(3.25)
    assert ("bills", "$3 of this month is what its usage was charged, $0.25 is computed from it") in both.lines
    alone = replace(charged(), statements=(computed,))
    (row,) = World(tmp_path / "y.db", alone).page().accounts
    assert ("bills", "none told yet: what is shown is computed from its usage") in row.lines
    assert "  tokens and calls as told, times prices" in row.told


def test_what_was_charged_is_told_from_what_is_computed(tmp_path: Path) -> None:
    figures_of_both = {"usd_per_hour", "today_usd", "unsettled_usd"}
    billed = World(tmp_path / "x.db", charged()).page()
    assert billed.accounts[0].charged == billed.parts[0].charged == figures_of_both
    both = World(tmp_path / "y.db", charged(say(NOW - 1140, 60, {"input": 100_000}))).page()
    assert both.accounts[0].charged == both.parts[0].charged == frozenset()
    earlier = World(tmp_path / "z.db", charged(say(MONDAY + 3600, 3600, MILLION))).page()
    assert earlier.accounts[0].charged == {"usd_per_hour", "today_usd"}


def test_the_overview_says_billed_of_a_charge_and_of_both_how_much_is_one(tmp_path: Path) -> None:
    def basis(path: Path, said: Batch) -> tuple[str, str]:
        facts = World(path, said).facts()
        (row,) = overview(facts).models
        return row.basis, figures(facts, "models", f"openai\t{row.model}")["basis"].lines[0]

    assert basis(tmp_path / "x.db", charged()) == ("billed", "billed: what openai says itself that it was charged")
    kind, told = basis(tmp_path / "y.db", charged(say(NOW - 1140, 60, {"input": 100_000})))
    assert (kind, told.startswith("mixed: $3 of the window's $3.25 is what was charged")) == ("computed", True)
    kind, told = basis(tmp_path / "z.db", replace(charged(), statements=(say(NOW - 1140, 60, {"input": 100_000}),)))
    assert (kind, told.startswith("computed: tokens as told")) == ("computed", True)


def test_spend_now_is_by_part_and_unknown_where_nothing_has_a_price(world: World) -> None:
    now = {row.name: row.usd_per_hour for row in world.page("model").parts}
    assert now == {"gpt-4o": pytest.approx(1.0), "acme-1": None, "(none)": 0.0}


def test_what_a_provider_says_besides_is_told_with_names(world: World) -> None:
    (row,) = world.page().accounts
    assert ("balance", "12.5 EUR granted, as openai says") in row.lines
    assert ("limit", "limit of Bots: $200 a month, $3 spent by its own count") in row.lines
    assert ("rate limits", "gpt-4o 500 requests/min") in row.lines
    assert ("list price", "gpt-4o: input $2.5, output $10; per 1M tokens, or each; openai says so") in row.lines
    assert any(sentence.startswith("billed, and in no usage that it tells: tools $1") for _, sentence in row.lines)


def test_a_remark_of_a_poll_that_went_well_is_no_trouble(world: World) -> None:
    (well,) = world.page(detail="12.00 USD left").accounts
    (failed,) = world.page(state=SourceState.STALE, detail="503 from the API").accounts
    (in_part,) = world.page(detail="no number: 'x'", rejected=2).accounts
    assert [line for line in well.lines if line[0] in ("note", "trouble")] == [("note", "12.00 USD left")]
    assert ("trouble", "503 from the API") in failed.lines
    assert ("trouble", "no number: 'x'") in in_part.lines


def test_a_question_says_whose_count_the_spend_of_a_providers_limit_is(world: World) -> None:
    told = figures(world.facts(), "budgets", "limit of Bots")["spent_usd"]
    assert told.title == "spent  $3"
    assert told.lines[0] == "what openai says itself was spent of it; the ledger may differ"


def test_the_share_that_nobody_is_given_is_of_all_that_was_spent_today(world: World) -> None:
    assert world.page().unassigned == (("team", 0.0),)


def test_a_report_has_adjustments_in_its_sums_and_apart_only_where_resources_are_asked_for(world: World) -> None:
    by_model = world.reader.ask(report, ("model",), MONDAY, NOW, Scopes(SETTINGS)).rows
    # What a line matches is in its model's sum, 10.25 computed less 0.5; what none matches stands without a model.
    assert {row.keys["model"]: row.usd_nano for row in by_model} == {
        "gpt-4o": 7_250_000_000,
        None: 1_000_000_000,
        "acme-1": None,
    }
    by_resource = world.reader.ask(report, ("resource",), MONDAY, NOW, Scopes(SETTINGS)).rows
    found = {row.keys["resource"]: row.usd_nano for row in by_resource}
    assert (found["adjustment"], found["input"]) == (500_000_000, 7_750_000_000)


def test_figures_tell_how_they_were_come_by_and_their_arithmetic_is_right(world: World) -> None:
    page = world.page("key")
    told = [Explained(row.source, row.told) for row in page.accounts] + [
        Explained(part.name, part.told) for part in page.parts
    ]
    assert sum(check(each) for each in told) >= 4
    assert "  = 3 - 2.5 = 0.5 USD" in page.accounts[0].told
    assert any("settled: days that ended by 07 Jul 00:00 (UTC)" in line for line in page.accounts[0].told)


def test_a_source_that_has_told_nothing_is_unknown_and_says_why(world: World) -> None:
    facts = world.facts(SourceState.AUTH, "the key was refused")
    silent = replace(facts, api=api_rates(Summary(), tellers(facts.healths, {}), NOW), accounts={})
    read = world.reader.ask(BookReading().read, {}, Scopes(SETTINGS), NOW)
    (row,) = accounts_page(silent, read, "model", ()).accounts
    assert (row.usd_per_hour, row.today_usd, row.month_usd, row.settled_usd, row.drift_usd) == (None,) * 5
    assert ("told whole", "unknown: no minute of it is known to be whole yet") in row.lines
