"""Floor 3: attention and what stands around it, as modules."""
