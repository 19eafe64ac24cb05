"""What is left with providers whose ordinary key tells a balance and nothing else: no usage, no cost, no model.

Wire formats: api-docs.deepseek.com (GET /user/balance: strings), platform.moonshot.ai (GET /v1/users/me/balance:
numbers, CNY on .cn and USD on .ai), docs.siliconflow.cn (GET /v1/user/info: strings, no currency), docs.x.ai
(GET /v1/billing/teams/{team}/prepaid/balance: cents, below 0 for what is left). Each amount stays in its currency.
A balance is nothing that was spent: what it falls by may be paid back, expire, or be topped up in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from collectors._money import CENT, DOLLAR, amount
from collectors._page import needed, text_options
from collectors._provider_pages import Row, document, entries
from collectors._provider_root import Rooted, roots_of
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, Option, SourceConfig, Unavailable
from infertop.readings.account import Account, Balance
from infertop.readings.model import Batch
from infertop.readings.safe import safe

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_LEAST_SECONDS = 60.0
_MOST = 20
_NOTHING_BESIDES = "{} left; {} tells no usage to any key: a gateway or an agent's log can tell it"
_CURRENCY = Option("currency", "the account's currency, where the url does not tell (CNY on .cn, else USD)")


@dataclass(frozen=True, slots=True)
class Holder:
    """A provider: its API and key, where its balance stands, and how that is read in the account's currency.

    `parts` are fields with what each is of the whole; `team` is the path that tells whose key it is, where `path` has
    a team in it; `late` says how old the figure may be.
    """

    name: str
    title: str
    api: Api
    path: str
    read: Callable[[Holder, Row, str], Iterator[Balance]]
    parts: tuple[tuple[str, str], ...] = ()
    options: tuple[Option, ...] = ()
    team: str = ""
    late: str = ""

    def balance(self, currency: str, what: str, said: object, name: str) -> Balance:
        """Return an amount in whole currency; raise ValueError where it is none."""
        return Balance(self.name, currency, amount(said, DOLLAR, name), what)


class BalanceReader:
    """Reads one account."""

    def __init__(self, config: SourceConfig, http: Http, holder: Holder) -> None:
        self.kind = config.kind
        self.config = config
        self._http = http
        self._holder = holder
        self._api = Rooted(http, roots_of(config.url or holder.api.url))
        host = urlsplit(config.url or holder.api.url).hostname or ""
        known = "CNY" if host.endswith(".cn") else "USD"
        self._currency = text_options(config, ("currency",)).get("currency", known).upper()
        self._team = ""

    async def collect(self, ts: float) -> Batch:
        """Read what is left; raise Unavailable where that is not told."""
        path = self._holder.path
        if self._holder.team:
            self._team = self._team or await self._found_team()
            path = path.format(team=quote(self._team, safe=""))
        where = f"{self._holder.title}'s {path}"
        page = document((await self._api.get(path)).body, where)
        try:
            found = tuple(islice(self._holder.read(self._holder, page, self._currency), _MOST))
        except ValueError as error:
            raise Unavailable(f"{where}: {error}") from None
        if not found:
            raise Unavailable(f"the answer of {where} has no balance: its format is not known")
        left = " and ".join(f"{each.amount:.2f} {each.currency}" for each in found if not each.what)
        note = _NOTHING_BESIDES.format(left, self._holder.title) + self._holder.late
        return Batch(self.config.name, ts, (), (), notes=(note,), covered=(), account=Account(balances=found))

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _found_team(self) -> str:
        page = document((await self._api.get(self._holder.team)).body, f"{self._holder.title}'s {self._holder.team}")
        team = page.get("teamId") or page.get("scopeId")
        if not isinstance(team, str):
            raise Unavailable(f"this key of {self._holder.title} belongs to no team: use one with the scope of a team")
        return team


def _deepseek(holder: Holder, page: Row, _currency: str) -> Iterator[Balance]:
    for row in entries(page, "balance_infos", "DeepSeek's /user/balance"):
        currency = row.get("currency")
        if not isinstance(currency, str) or not currency:
            raise ValueError("an amount has no currency")
        for name, what in holder.parts:
            if name in row:
                yield holder.balance(safe(currency, 12).upper(), what, row[name], name)


def _data(holder: Holder, page: Row, currency: str) -> Iterator[Balance]:
    data = page.get("data")
    if page.get("status") is False or not isinstance(data, Mapping):
        raise ValueError(f"it says no: {safe(str(page.get('message') or page.get('code')), 120)}")
    for name, what in holder.parts:
        if data.get(name) is not None:
            yield holder.balance(currency, what, data[name], name)


def _xai(holder: Holder, page: Row, _currency: str) -> Iterator[Balance]:
    total = page.get("total")
    if isinstance(total, Mapping) and total.get("val") is not None:
        # A ledger of what is owed to the customer: what was paid in is below 0.
        yield Balance(holder.name, "USD", -amount(total["val"], CENT, "total.val"))


HOLDERS = (
    Holder(
        "deepseek",
        "DeepSeek",
        Api("https://api.deepseek.com", ("DEEPSEEK_API_KEY",), what="a key of DeepSeek"),
        "/user/balance",
        _deepseek,
        (("total_balance", ""), ("granted_balance", "granted"), ("topped_up_balance", "topped up")),
    ),
    Holder(
        "moonshot",
        "Moonshot",
        Api("https://api.moonshot.ai/v1", ("MOONSHOT_API_KEY",), what="a key of Moonshot"),
        "/users/me/balance",
        _data,
        (("available_balance", ""), ("voucher_balance", "vouchers"), ("cash_balance", "cash")),
        (_CURRENCY,),
    ),
    Holder(
        "siliconflow",
        "SiliconFlow",
        Api("https://api.siliconflow.cn/v1", ("SILICONFLOW_API_KEY",), what="a key of SiliconFlow"),
        "/user/info",
        _data,
        (("totalBalance", ""), ("balance", "granted"), ("chargeBalance", "topped up")),
        (_CURRENCY,),
    ),
    Holder(
        "xai",
        "xAI",
        Api("https://management-api.x.ai", ("XAI_MANAGEMENT_KEY",), what="a management key of xAI"),
        "/v1/billing/teams/{team}/prepaid/balance",
        _xai,
        team="/auth/management-keys/validation",
        late="; the balance is posted when a billing cycle closes, so it is not live",
    ),
)


def _make(holder: Holder, config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    return BalanceReader(config, needed(config, http), holder)


def _kind(holder: Holder) -> Kind:
    return Kind(
        name=holder.name,
        help=f"{holder.title}: what is left on the account, in its own currency; usage is told by nobody there",
        make=partial(_make, holder),
        options=holder.options,
        least_seconds=_LEAST_SECONDS,
        api=holder.api,
    )


KINDS = tuple(_kind(holder) for holder in HOLDERS)
