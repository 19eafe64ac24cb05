"""What servers with OpenAI's API say of the models they serve."""

from __future__ import annotations

import json


def first_model(body: bytes) -> str | None:
    """Return the name in an answer of /v1/models, `{"data": [{"id": "NAME"}]}`; None where there is none."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return None
    models = page.get("data") if isinstance(page, dict) else None
    first = models[0] if isinstance(models, list) and models else None
    name = first.get("id") if isinstance(first, dict) else None
    return name[:512] if isinstance(name, str) and name else None
