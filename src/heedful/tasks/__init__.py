"""Floor 6: one task a file: train, evaluate, predict, explain."""
