"""Polling: the clock, one loop per source, the HTTP factory, discovery, and the live state."""
