"""What is left on an account is told in its own currency, to the cent, and never where it is not known."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest

from collectors.balances import HOLDERS
from infertop.engine.collector import State, Unavailable
from tests.collectors.provider_world import CANARY, Api, account, first
from tests.collectors.reading import payload

PATHS = {
    "deepseek": "/user/balance",
    "moonshot": "/users/me/balance",
    "siliconflow": "/user/info",
}
NAMES = [holder.name for holder in HOLDERS]


def example(kind: str):
    return json.loads(payload(f"balances/{kind}.json"))


def api(kind: str, said=None) -> Api:
    return Api({PATHS[kind]: example(kind) if said is None else said})


async def balances(kind: str, said=None, **how) -> list[tuple[str, str, Decimal]]:
    batch = await first(account(kind, api(kind, said), **how))
    assert batch.account is not None
    assert (batch.statements, batch.covered) == ((), ())  # a balance is nothing that was spent
    assert "tells no usage" in batch.notes[0]
    return [(each.currency, each.what, each.amount) for each in batch.account.balances or ()]


async def test_deepseek_tells_strings_with_their_currency() -> None:
    assert await balances("deepseek") == [
        ("CNY", "", Decimal("110.00")),
        ("CNY", "granted", Decimal("10.00")),
        ("CNY", "topped up", Decimal("100.00")),
    ]


async def test_two_currencies_stay_two() -> None:
    rows = [{"currency": "CNY", "total_balance": "7.00"}, {"currency": "USD", "total_balance": "-0.25"}]
    found = await balances("deepseek", {"is_available": True, "balance_infos": rows})
    assert found == [("CNY", "", Decimal("7.00")), ("USD", "", Decimal("-0.25"))]


@pytest.mark.parametrize(("host", "currency"), [("api.moonshot.cn", "CNY"), ("api.moonshot.ai", "USD")])
async def test_moonshot_has_the_currency_of_its_site(host: str, currency: str) -> None:
    found = await balances("moonshot", url=f"https://{host}")
    assert found == [
        (currency, "", Decimal("49.58894")),
        (currency, "vouchers", Decimal("46.58893")),
        (currency, "cash", Decimal("3.00001")),
    ]


async def test_a_currency_can_be_set_where_the_url_does_not_tell() -> None:
    assert (await balances("moonshot", url="https://gateway.example.com", currency="cny"))[0][0] == "CNY"


async def test_moonshot_s_debt_is_below_0() -> None:
    data = {"available_balance": 0, "voucher_balance": 0, "cash_balance": -1.5}
    found = await balances("moonshot", {"code": 0, "data": data, "status": True})
    assert [amount for _, _, amount in found] == [0, 0, Decimal("-1.5")]


async def test_siliconflow_s_whole_is_the_total_and_not_the_gift() -> None:
    found = await balances("siliconflow", url="https://api.siliconflow.cn")
    assert found[0] == ("CNY", "", Decimal("88.88"))
    assert {what: amount for _, what, amount in found[1:]} == {
        "granted": Decimal("0.88"),
        "topped up": Decimal("88.00"),
    }


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("said", [{}, {"data": {}}, {"data": None}, {"balance_infos": []}, []])
async def test_what_is_missing_is_unavailable_and_never_0(kind: str, said) -> None:
    with pytest.raises(Unavailable) as caught:
        await balances(kind, said)
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize("bad", ["much", True, None, "NaN", "1e40", {"val": 1}, ["1"], "9" * 100])
async def test_what_is_no_amount_is_a_sentence(bad) -> None:
    with pytest.raises(Unavailable, match="is no amount of money"):
        await balances("deepseek", {"balance_infos": [{"currency": "CNY", "total_balance": bad}]})


async def test_an_answer_that_says_no_is_told_with_its_reason() -> None:
    said = {"code": 50001, "message": "account \x1b[31mfrozen", "status": False, "data": None}
    with pytest.raises(Unavailable, match=r"it says no: account .*frozen") as caught:
        await balances("siliconflow", said)
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize("kind", NAMES)
async def test_a_refused_key_is_said_and_not_shown(kind: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await first(account(kind, refuse))
    assert caught.value.state is State.AUTH
    assert CANARY not in caught.value.sentence


def refuse(request: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"error": {"message": f"key {request.headers['authorization']} is wrong"}})


@pytest.mark.parametrize("kind", NAMES)
async def test_the_key_goes_to_its_path_alone(kind: str) -> None:
    there = api(kind)
    await first(account(kind, there))
    assert {each.headers["authorization"] for each in there.asked} == {f"Bearer {CANARY}"}
    assert {each.method for each in there.asked} == {"GET"}
    assert all(CANARY not in str(each.url) for each in there.asked)
