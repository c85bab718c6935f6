"""Floor 5: optimisation, the loop, runs, metrics."""
