"""A sentence through every mechanism."""
