"""Floor 4: sources of text, tokens, batches."""
