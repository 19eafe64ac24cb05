"""Why $/hour changed: the exact parts of the difference between two windows of the ledger, and their cause's name."""
