"""What is left with providers whose ordinary key tells a balance and nothing else: no usage, no cost, no model.

Wire formats: api-docs.deepseek.com (GET /user/balance: strings), platform.moonshot.ai (GET /v1/users/me/balance:
numbers, CNY on .cn and USD on .ai), docs.siliconflow.cn (GET /v1/user/info: strings, no currency). Each amount stays in
its currency. A balance is nothing that was spent: what it falls by may be paid back, expire, or be topped up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collectors._money import DOLLAR, amount
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

    `parts` are fields with what each is of the whole.
    """

    name: str
    title: str
    api: Api
    path: str
    read: Callable[[Holder, Row, str], Iterator[Balance]]
    parts: tuple[tuple[str, str], ...] = ()
    options: tuple[Option, ...] = ()

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

    async def collect(self, ts: float) -> Batch:
        """Read what is left; raise Unavailable where that is not told."""
        path = self._holder.path
        where = f"{self._holder.title}'s {path}"
        page = document((await self._api.get(path)).body, where)
        try:
            found = tuple(islice(self._holder.read(self._holder, page, self._currency), _MOST))
        except ValueError as error:
            raise Unavailable(f"{where}: {error}") from None
        if not found:
            raise Unavailable(f"the answer of {where} has no balance: its format is not known")
        left = " and ".join(f"{each.amount:.2f} {each.currency}" for each in found if not each.what)
        note = _NOTHING_BESIDES.format(left, self._holder.title)
        return Batch(self.config.name, ts, (), (), notes=(note,), covered=(), account=Account(balances=found))

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


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
