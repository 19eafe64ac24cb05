"""Public list prices: a dated snapshot of what providers ask, and what is known to be wrong in it."""
