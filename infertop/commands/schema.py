"""`infertop schema`: the JSON Schema of `--once --json`."""

from __future__ import annotations

import json
from argparse import Namespace

from infertop.views.schema import schema


def run(_options: Namespace) -> int:
    """Print the schema."""
    print(json.dumps(schema(), indent=2))
    return 0
