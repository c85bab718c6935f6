"""Floor 2: attention as pure functions on tensors."""
