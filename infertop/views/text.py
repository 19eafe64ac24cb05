"""What a screen needs to draw strings from outside: the one gate they all pass."""

from infertop.readings.redact import redact
from infertop.readings.safe import REPLACEMENT, safe

__all__ = ["REPLACEMENT", "redact", "safe"]
