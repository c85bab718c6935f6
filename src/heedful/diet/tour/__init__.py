"""The second half of `heedful demo`: the same dial, for a model's heads and for a simulated reader's minutes."""
