"""What a model can be asked that a mean loss hides: one question a file."""
