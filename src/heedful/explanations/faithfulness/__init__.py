"""How far an explanation is true to the model: what its answer does when what is said to count is taken away."""
