"""What is kept: sources, items, feedback, editions, notes and settings, in one file."""
