"""The index of a matcher: entries on disk, their vectors, and what is nearest to a question."""
