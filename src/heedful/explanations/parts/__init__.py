"""One part of a page a file."""
