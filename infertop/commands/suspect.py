"""What pricing.toml says that is no mistake and yet does nothing: names that mean nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from infertop.money.deployments.declared import Batch, Deployment, Hardware, Provisioned
from infertop.money.gpu_rates import gpu_key
from infertop.money.rates import PriceBook
from infertop.money.schema import nearest, shown
from infertop.money.settings import ProviderFactor
from infertop.money.toml_text import heading, quoted
from infertop.readings.safe import safe


def suspect(book: PriceBook, ts: float) -> Iterator[str]:
    """Iterate over a sentence for each, with its line and what to do."""
    for factor in book.settings.providers:
        if not _is_named(factor, book):
            yield _unknown_provider(factor, book)
    for deployment in book.settings.deployments:
        gpu = _gpu(deployment)
        if gpu and gpu_key(gpu) is None and book.gpu_rate(gpu, ts=ts).price is None:
            yield (
                f"{deployment.where}: {safe(deployment.name, 60)} has gpu = {quoted(gpu)}, "
                "which is no GPU that infertop knows: name it as NVML does or by its family "
                f'("H100"), or set its price under {heading("gpu", gpu)}'
            )


def _is_named(factor: ProviderFactor, book: PriceBook) -> bool:
    """Say whether anything is of that provider: a list, or what the file names."""
    name, said = factor.provider.lower(), book.settings
    stated = (*(each.provider for each in said.models), *(each.provider for each in said.deployments))
    sources = (word for each in said.sources for word in (each.name, each.kind))
    if any(fnmatchcase(name, each.lower()) for each in stated) or name in map(str.lower, sources):
        return True
    return book.listing.provider(factor.provider) is not None


def _unknown_provider(factor: ProviderFactor, book: PriceBook) -> str:
    hint = nearest(factor.provider, {each.provider for each in book.listing.models()})
    table = heading("provider", shown(factor.provider))
    return (
        f"{factor.where}: {table} is on nothing: no price list has such a provider, "
        f"and no [[source]] and no [model] names it{hint}"
    )


def _gpu(deployment: Deployment) -> str:
    """Return the GPU that a deployment is on or compared with, empty where it names none."""
    terms = deployment.terms
    if isinstance(terms, Provisioned):
        return ""
    hardware: Hardware | None = terms.hardware if isinstance(terms, Batch) else terms.dedicated
    return hardware.gpu if hardware else ""
