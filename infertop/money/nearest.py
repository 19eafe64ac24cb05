"""What a class of tokens, or what is counted beside them, costs where it has no price of its own."""

from __future__ import annotations

from collections.abc import Mapping

# The price of the first of these that has one, in a provider's list as in pricing.toml.
NEAREST: Mapping[str, tuple[str, ...]] = {
    "cache_read": ("input",),
    "cache_write_5m": ("input",),
    "cache_write_1h": ("cache_write_5m", "input"),
    "reasoning": ("output",),
    "input_audio": ("input",),
    "output_audio": ("output",),
    "input_image": ("input",),
    "output_image": ("output",),
    "input_audio_seconds": ("audio_seconds",),
    "output_audio_seconds": ("audio_seconds",),
    "input_annotated_document_pages": ("input_document_pages",),
}
