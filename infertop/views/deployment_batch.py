"""A row for a batch: what a run costs by the batch price or on own GPUs, beside what it would cost at once."""

from __future__ import annotations

from decimal import Decimal

from infertop.money.deployments import batch as formulas
from infertop.money.deployments.declared import ONCE, Batch, Deployment
from infertop.money.quote import Quote, Way
from infertop.money.toml_text import heading
from infertop.readings.model import LOCAL
from infertop.views.deployment_words import amount, dollars, hourly_source, list_price, percent, source_of
from infertop.views.facts import Facts
from infertop.views.shapes import DeploymentRow

_MILLION = 1_000_000


def batch_row(facts: Facts, each: Deployment, terms: Batch) -> DeploymentRow:
    """Return the row of a batch; what it costs an hour is unknown where it does not come again."""
    standard = None if each.provider == LOCAL else facts.prices.quote(each.provider, each.model, facts.now)
    if terms.hardware is None:
        quote = facts.prices.quote(each.provider, each.model, facts.now, Way(batch=True))
        job, source = formulas.by_the_token(terms, quote, standard), quote.source if quote else ""
        how = _by_the_token(terms, quote)
    else:
        rate = facts.prices.gpu_rate(terms.hardware.gpu, ts=facts.now)
        gpu = rate.price
        job, source = formulas.on_gpus(terms, gpu.usd if gpu else None, standard), gpu.source if gpu else ""
        hours = f"{terms.hardware.count} x {terms.hardware.gpu} for {amount(terms.hours or Decimal(0))} h"
        how = f"{hours}: {hourly_source(rate)}"
    hourly, tokens = formulas.per_hour(terms, job.usd), sum(formulas.tokens_of(terms).values(), Decimal(0))
    return DeploymentRow(
        name=each.name,
        kind=each.kind,
        provider=each.provider,
        model=each.model,
        usd_per_hour=None if hourly is None else float(hourly),
        usd_per_million_tokens=float(job.usd / tokens * _MILLION) if job.usd is not None and tokens else None,
        utilization=None,
        break_even=None,
        against="" if each.provider == LOCAL else "at once",
        traffic="declared",
        counts=False,
        basis="computed",
        price_source=source,
        verdict=_verdict(each, terms, job),
        lines=_lines(terms, job, how, standard),
    )


def _period(terms: Batch) -> str:
    return "" if terms.every == ONCE else f" every {terms.every}"


def _verdict(each: Deployment, terms: Batch, job: formulas.Job) -> str:
    if job.usd is None:
        if terms.hardware is not None:
            return f"{terms.hardware.gpu} has no price: set usd_per_hour under {heading('gpu', terms.hardware.gpu)}"
        return f"{each.model} has no list price at {each.provider}: set one under {heading('model', each.model)}"
    said = f"costs {dollars(job.usd)}{_period(terms)}"
    if job.at_once is None:
        return said
    said += f", {dollars(job.at_once)} at once"
    if job.at_standard_rate:
        return f"{said}: no batch price is listed, so it is priced at the standard rate"
    saved = job.saved or Decimal(0)
    if not job.at_once or not saved:
        return said
    share = percent(abs(saved) / job.at_once)
    return f"{said} at {each.provider}: {'saves' if saved > 0 else 'costs'} {share}{'' if saved > 0 else ' more'}"


def _by_the_token(terms: Batch, quote: Quote | None) -> str:
    if quote is None:
        return "no list price"
    return f"{list_price((quote,), (name for name, _ in terms.tokens))}"


def _lines(terms: Batch, job: formulas.Job, how: str, standard: Quote | None) -> tuple[str, ...]:
    one = ", ".join(f"{name} {amount(value)}" for name, value in terms.tokens) or "no tokens declared"
    lines = [f"a run{_period(terms)}: {amount(terms.requests)} requests of {one} tokens (declared)", f"price: {how}"]
    if job.usd is not None:
        lines.append(f"a run costs {dollars(job.usd)}, {dollars(job.usd / terms.requests)} a request")
    if job.at_once is not None and standard is not None:
        lines.append(f"at once: {dollars(job.at_once)} ({source_of(standard)})")
    return (*lines, "shown beside what is spent, never added: it is declared, not measured")
