"""Loading httpx and the certificates once, off the loop: together 200 ms that the first paint must not wait for."""

from __future__ import annotations

import asyncio
import importlib
import logging
import ssl
import sys
import threading

_lock = threading.Lock()
_contexts: dict[bool, ssl.SSLContext] = {}


async def load_libraries(*, tls: bool) -> None:
    """Load httpx, and the certificates where `tls` is True; return at once where that is done."""
    if "httpx" not in sys.modules:
        await asyncio.to_thread(importlib.import_module, "httpx")
    if tls and True not in _contexts:
        await asyncio.to_thread(tls_context, verified=True)


def tls_context(*, verified: bool) -> ssl.SSLContext:
    """Return the context that all connections share, or the one of origins that speak plain http.

    The first trusts the system's certificates, where a company puts its own, and certifi's. The second trusts nobody
    and costs nothing to make: a context for each origin would take 1 MB each.
    """
    with _lock:
        if verified not in _contexts:
            _contexts[verified] = _new_context(verified)
        return _contexts[verified]


def _new_context(verified: bool) -> ssl.SSLContext:
    if not verified:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


for _name in ("httpx", "httpcore"):
    # At INFO httpx logs full URLs, queries included.
    logging.getLogger(_name).setLevel(logging.WARNING)
