"""Telling: what an alert says, in which form a channel is told it, and how it gets there."""
