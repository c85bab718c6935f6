"""Searching for a better spec: what may vary, within which limits, one trial after another."""
