"""Floor 4: whole models, and their checkpoints."""
