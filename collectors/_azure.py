"""Tokens for Azure's management API: by azure-identity, or with an application's own secret by plain OAuth.

AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET need no library: POST /TENANT/oauth2/v2.0/token of
login.microsoftonline.com (client credentials). Everything else (`az login`, managed identities, workload identities,
certificates) is azure-identity's DefaultAzureCredential.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from collectors._cloud_api import hush
from collectors._cloud_library import AGAIN_SECONDS, LookUp, library
from collectors._provider_pages import document
from infertop.engine.clock import Clock
from infertop.engine.collector import State, Unavailable
from infertop.engine.http import Http
from infertop.engine.secrets import Secret, redact
from infertop.readings.safe import safe

if TYPE_CHECKING:
    import httpx

_LOGIN = "https://login.microsoftonline.com"
_SCOPE = "https://management.azure.com/.default"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_NAMES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
_TENANT = re.compile(r"[A-Za-z0-9.-]{1,128}")
_EARLY_SECONDS = 300.0
_LEAST_SECONDS, _USUAL_SECONDS = 60.0, 3600.0


class AzureAccess:
    """Finds tokens and keeps one until shortly before it ends. `transport` stands in for the network."""

    def __init__(
        self,
        kind: str,
        clock: Clock,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._kind = kind
        self._clock = clock
        self._environ = environ
        self._transport = transport
        self._look_up = LookUp("Azure")
        self._credential: Any = None
        self._token: Secret | None = None
        self._until = 0.0

    async def headers(self) -> Mapping[str, str]:
        """Return the header with a token that holds."""
        if self._token is None or self._clock.now() >= self._until - _EARLY_SECONDS:
            if all(self._environ.get(name, "").strip() for name in _NAMES):
                token, until = await self._by_secret()
            else:
                token, until = await self._look_up.call(self._by_library)
            self._token, self._until = Secret(token), until
        return {"Authorization": f"Bearer {self._token.reveal()}"}

    def close(self) -> None:
        """Let go of the thread that looks credentials up."""
        self._look_up.close()

    async def _by_secret(self) -> tuple[str, float]:
        tenant, client, secret = (self._environ[name].strip() for name in _NAMES)
        Secret(secret)  # from here on it is in no message, whoever repeats it
        if not _TENANT.fullmatch(tenant):
            raise Unavailable("AZURE_TENANT_ID is no tenant: its id or domain is expected", state=State.AUTH)
        asked = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": _SCOPE}
        http = Http(_LOGIN, transport=self._transport)
        try:
            path = f"/{tenant}/oauth2/v2.0/token"
            reply = await http.post(path, urlencode(asked).encode(), headers=_FORM, accept_status=(400, 401, 403))
        finally:
            await http.close()
        said = document(reply.body, "Azure's sign-in")
        token, seconds = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not token:
            told = said.get("error_description") or said.get("error") or f"HTTP {reply.status}"
            reason = safe(redact(str(told).split("\n")[0]), 200)
            sentence = f"Azure does not accept AZURE_CLIENT_ID and its secret: {reason}"
            raise Unavailable(sentence, state=State.AUTH, retry_seconds=AGAIN_SECONDS)
        lasts = float(seconds) if isinstance(seconds, int) and not isinstance(seconds, bool) else _LEAST_SECONDS
        return token, self._clock.now() + min(max(lasts, _LEAST_SECONDS), 24 * _USUAL_SECONDS)

    def _by_library(self) -> tuple[str, float]:
        module = library("azure.identity", "azure", self._kind)
        faults = library("azure.core.exceptions", "azure", self._kind)
        hush("azure", "msal")
        try:
            self._credential = self._credential or module.DefaultAzureCredential()
            found = self._credential.get_token(_SCOPE)
        except (faults.AzureError, ValueError, OSError) as error:
            reason = safe(redact(str(error).split("\n")[0]), 160)
            sentence = f"no Azure credentials are found ({reason}): run `az login`, or set {', '.join(_NAMES)}"
            raise Unavailable(sentence, state=State.AUTH, retry_seconds=AGAIN_SECONDS) from None
        return str(found.token), float(found.expires_on)
