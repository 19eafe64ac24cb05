"""Tokens for Google's APIs: google-auth's application default credentials, in a thread.

They come from GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default login` or the machine's service account.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from collectors._cloud_api import hush
from collectors._cloud_library import AGAIN_SECONDS, LookUp, library
from infertop.engine.collector import State, Unavailable
from infertop.engine.secrets import Secret, redact
from infertop.readings.safe import safe

_SCOPE = "https://www.googleapis.com/auth/monitoring.read"
_BEARER = "Bearer "


class GoogleAccess:
    """Finds credentials once, and refreshes their token when it ends."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._look_up = LookUp("Google")
        self._credentials: Any = None
        self._project = ""

    async def headers(self) -> Mapping[str, str]:
        """Return the headers with a token that holds."""
        return await self._look_up.call(self._signed)

    async def project(self) -> str:
        """Return the project that the credentials belong to; raise Unavailable where they do not say."""
        await self._look_up.call(self._signed)
        if not self._project:
            raise Unavailable(f'{self._kind} needs a project: set project = "…" in its [[source]]')
        return self._project

    def close(self) -> None:
        """Let go of the thread that looks credentials up."""
        self._look_up.close()

    def _signed(self) -> dict[str, str]:
        faults = library("google.auth.exceptions", "google", self._kind)
        module = library("google.auth", "google", self._kind)
        transport = library("google.auth.transport.requests", "google", self._kind)
        hush("google", "urllib3")
        # It warns of credentials without a quota project by writing to stderr, where the screen is.
        warnings.filterwarnings("ignore", module=r"google\.auth")
        headers: dict[str, str] = {}
        try:
            if self._credentials is None:
                self._credentials, project = module.default(scopes=[_SCOPE])
                self._project = project or ""
            self._credentials.before_request(transport.Request(), "GET", "https://monitoring.googleapis.com/", headers)
        except (faults.GoogleAuthError, ValueError, OSError) as error:
            self._credentials = None
            reason = safe(redact(str(error).split("\n")[0]), 160)
            sentence = (
                f"no Google credentials are found ({reason}): run `gcloud auth application-default login`, "
                "or set GOOGLE_APPLICATION_CREDENTIALS"
            )
            raise Unavailable(sentence, state=State.AUTH, retry_seconds=AGAIN_SECONDS) from None
        said = {name.lower(): str(value) for name, value in headers.items()}
        Secret(said.get("authorization", "").removeprefix(_BEARER))  # from here on it is in no message
        return said
