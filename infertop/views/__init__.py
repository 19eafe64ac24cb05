"""What a screen or a script is shown: frozen dataclasses made from state, ledger and history."""
