"""What it costs: settings, rates, allocation, ledger lines, budgets and baselines."""
