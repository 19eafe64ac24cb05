"""Deployments that pricing.toml declares: what they cost, how far they are used, and from when on they pay."""
