"""Deployments made by hand: one that does not pay, one that does, one of which nothing is known."""

from __future__ import annotations

from dataclasses import replace

from infertop.views.shapes import DeploymentRow

PTU = DeploymentRow(
    name="gpt-4o ptu",
    kind="provisioned",
    provider="azure",
    model="gpt-4o",
    usd_per_hour=50.0,
    usd_per_million_tokens=8.33,
    utilization=0.25,
    break_even=0.6,
    against="list gpt-4o",
    traffic="measured",
    counts=True,
    basis="measured",
    price_source="pricing.toml:40",
    verdict="dearer than pay as you go until 60 % are used",
    lines=("= 50 units x $1.00/h", "6 M tokens in the last hour of 24 M reserved"),
)
MODAL = replace(
    PTU,
    name="modal whisper",
    kind="serverless",
    utilization=0.5,
    break_even=0.7,
    basis="estimated",
    counts=False,
    traffic="declared",
    verdict="cheaper than a dedicated H100 below 70 % use",
)
NIGHTLY = replace(
    PTU, name="nightly", kind="batch", usd_per_hour=None, usd_per_million_tokens=None, utilization=None,
    break_even=None, traffic="unknown", verdict="", lines=(), against="",
)  # fmt: skip
ROWS = (PTU, MODAL, NIGHTLY)
