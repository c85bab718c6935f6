"""A plan applied: heads grouped by their option, computed together, their keys kept in one ragged cache."""
