"""AWS's APIs in JSON: credentials and region from their usual places, every request signed (SigV4).

botocore looks the credentials up (environment, profile, SSO, role of the machine) and signs; the request itself goes
out through our own Http, so that its bounds hold. It is pinned to one origin, over https alone, or on this machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from collectors._cloud_library import AGAIN_SECONDS, LookUp, library
from collectors._provider_pages import document
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.http import Http, Reply
from infertop.engine.origin import Origin, key_refusal
from infertop.engine.secrets import Secret, redact
from infertop.readings.safe import safe

if TYPE_CHECKING:
    import httpx

OPTIONS = (("region", "AWS's region, else that of the environment or profile"), ("profile", "the profile of ~/.aws"))
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}")
_TIMEOUT_SECONDS = 30.0
_SLOWER_SECONDS = 30.0
_TOLD_BY_BODY = (400, 401, 403, 413)
_AUTH = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "OptInRequired"),
        *("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"),
        *("SignatureDoesNotMatch", "InvalidSignatureException", "MissingAuthenticationToken", "IncompleteSignature"),
        "MissingAuthenticationTokenException",
    }
)
_FEWER = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "LimitExceededException"})


class Service(NamedTuple):
    """A service of AWS: its name for signing and hosts, and what its requests begin with in JSON of which version."""

    name: str
    target: str
    version: str


class Access:
    """Who asks: botocore's session, made at the first request. Credentials are looked up in a thread."""

    def __init__(self, config: SourceConfig) -> None:
        self._region = _text(config, "region")
        self._profile = _text(config, "profile")
        if self._region and not _REGION.fullmatch(self._region):
            raise ValueError(f'{config.name}: region must be one of AWS, like "us-east-1"')
        self._kind = config.kind
        self._session: Any = None
        self._look_up = LookUp("AWS")

    async def region(self) -> str:
        """Return the region that is asked; raise Unavailable where none is set anywhere."""
        return await self._look_up.call(self._with_region)

    async def signed(self, service: str, region: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers with AWS's signature of this POST among them."""
        return await self._look_up.call(lambda: self._sign(service, region, url, body, headers))

    def close(self) -> None:
        """Let go of the thread that looks credentials up."""
        self._look_up.close()

    def _opened(self) -> Any:
        if self._session is None:
            module = library("botocore.session", "aws", self._kind)
            self._session = module.Session(profile=self._profile or None)
        return self._session

    def _faults(self) -> tuple[type[Exception], ...]:
        module = library("botocore.exceptions", "aws", self._kind)
        return (module.BotoCoreError, module.ClientError, OSError)

    def _with_region(self) -> str:
        session = self._opened()
        try:
            region = self._region or session.get_config_variable("region") or ""
        except self._faults() as error:
            raise _no_credentials(error) from None
        if not isinstance(region, str) or not _REGION.fullmatch(region):
            sentence = f'{self._kind} needs a region: set AWS_REGION, or region = "us-east-1" in its [[source]]'
            raise Unavailable(sentence, retry_seconds=AGAIN_SECONDS)
        return region

    def _sign(self, service: str, region: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        auth, request = library("botocore.auth", "aws", self._kind), library("botocore.awsrequest", "aws", self._kind)
        try:
            found = self._opened().get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        except self._faults() as error:
            raise _no_credentials(error) from None
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise Unavailable(
                f"{self._kind} needs AWS credentials and none are found: set AWS_PROFILE or AWS_ACCESS_KEY_ID, "
                "or run `aws configure sso`",
                state=State.AUTH,
                retry_seconds=AGAIN_SECONDS,
            )
        Secret(frozen.secret_key)  # from here on it is in no message, whoever repeats it
        Secret(frozen.token or "")
        asked = request.AWSRequest("POST", url, data=body, headers=headers)
        auth.SigV4Auth(frozen, service, region).add_auth(asked)
        return {name: str(value) for name, value in asked.headers.items()}


class Aws:
    """Asks one service of AWS. `transport` stands in for the network; `region` where the service has only one."""

    def __init__(
        self,
        access: Access,
        service: Service,
        url: str = "",
        region: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._access = access
        self._service = service
        self._url = url
        self._fixed = region
        self._transport = transport
        self._http: Http | None = None

    async def call(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an operation answers; raise Unavailable with what AWS says where it refuses."""
        region = self._fixed or await self._access.region()
        url = self._url or f"https://{self._service.name}.{region}.{_domain(region)}"
        body = json.dumps(asked, separators=(",", ":")).encode()
        headers = {
            "Content-Type": f"application/x-amz-json-{self._service.version}",
            "X-Amz-Target": f"{self._service.target}.{operation}",
        }
        origin = _checked(url)
        http = self._http = self._http or Http(url, timeout_seconds=_TIMEOUT_SECONDS, transport=self._transport)
        target = f"{origin.url}{origin.base}/"
        signed = await self._access.signed(self._service.name, region, target, body, headers)
        where = f"AWS's {operation}"
        reply = await http.post(target, body, headers=signed, accept_status=_TOLD_BY_BODY)
        if reply.status in _TOLD_BY_BODY:
            raise refusal(reply, where)
        return document(reply.body, where)

    async def pages(
        self, operation: str, asked: Mapping[str, Any], token: str, most: int
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield all pages of an answer, each of which names the next by its `token`.

        Raise Unavailable behind the last one where they do not end: after `most`, or at a token that was there before.
        """
        seen: set[str] = set()
        following: dict[str, Any] = {}
        for _ in range(most):
            page = await self.call(operation, {**asked, **following})
            yield page
            named = page.get(token)
            if not named:
                return
            if not isinstance(named, str) or named in seen:
                break
            seen.add(named)
            following = {token: named}
        raise Unavailable(f"AWS's {operation} promises more without end: nothing of it is used")

    async def close(self) -> None:
        """Close the connection."""
        self._access.close()
        if self._http is not None:
            await self._http.close()


def stand_in(url: str) -> str:
    """Return a url that answers for all services, as a stand-in on this machine does; empty for every other."""
    try:
        return url if url and Origin.parse(url).loopback else ""
    except ValueError:
        return ""


def refusal(reply: Reply, where: str) -> Unavailable:
    """Say what an answer of AWS other than 2xx means: it names its error, and mostly says what is wrong."""
    try:
        said = document(reply.body, where)
    except Unavailable:
        said = {}
    name = str(said.get("__type") or "").rpartition("#")[2].partition(":")[0]
    text = said.get("message") or said.get("Message") or ""
    told = safe(redact(text), 240) if isinstance(text, str) and text else safe(name, 80) or f"HTTP {reply.status}"
    if name in _FEWER:
        return Unavailable(f"{where} asks for fewer requests", status=429, retry_seconds=_SLOWER_SECONDS)
    state = State.AUTH if name in _AUTH or reply.status in (401, 403) else State.DOWN
    return Unavailable(f"{where} is refused: {told}", state=state, status=reply.status)


def _checked(url: str) -> Origin:
    try:
        origin = Origin.parse(url)
        reason = key_refusal(origin)
    except ValueError as error:
        reason = str(error)
    if reason:
        raise Unavailable(reason)
    return origin


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _text(config: SourceConfig, name: str) -> str:
    value = config.options.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{config.name}: {name} must be a name in quotes")
    return value


def _no_credentials(error: Exception) -> Unavailable:
    sentence = f"AWS credentials cannot be used: {safe(redact(str(error)), 200)}"
    return Unavailable(sentence, state=State.AUTH, retry_seconds=AGAIN_SECONDS)
