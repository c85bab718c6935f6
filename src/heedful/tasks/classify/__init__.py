"""The task classify: which class a text belongs to."""
