"""Runs that are kept open: one kind of task a file, behind one protocol."""
