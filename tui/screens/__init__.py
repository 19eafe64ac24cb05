"""Pages: which panels, how much space each, and what Enter opens."""
