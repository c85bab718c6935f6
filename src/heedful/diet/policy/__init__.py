"""What to put into an edition: policies that learn from what came of the last one, one a file."""
