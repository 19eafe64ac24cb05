"""The SQLite database: tape, ledger, the one writer, roll-ups, queries."""
