"""What a model says of an input, explained: models of ours and of Hugging Face as subjects of every method."""
