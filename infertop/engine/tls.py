"""Loading httpx and the certificates once, off the loop: together 200 ms that the first paint must not wait for."""

from __future__ import annotations

import asyncio
import importlib
import logging
import ssl
import sys
import threading

_lock = threading.Lock()
_contexts: list[ssl.SSLContext] = []


async def load_libraries(*, tls: bool) -> None:
    """Load httpx, and the certificates where `tls` is True; return at once where that is done."""
    if "httpx" not in sys.modules:
        await asyncio.to_thread(importlib.import_module, "httpx")
    if tls and not _contexts:
        await asyncio.to_thread(tls_context)


def tls_context() -> ssl.SSLContext:
    """Return the context that all connections share: one for each origin would take 1 MB each.

    It trusts the system's certificates, where a company puts its own, and certifi's.
    """
    with _lock:
        if not _contexts:
            _contexts.append(_new_context())
        return _contexts[0]


def _new_context() -> ssl.SSLContext:
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


for _name in ("httpx", "httpcore"):
    # At INFO httpx logs full URLs, queries included.
    logging.getLogger(_name).setLevel(logging.WARNING)
