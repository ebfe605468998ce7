"""How fast, on this machine, now: a module per suite."""
