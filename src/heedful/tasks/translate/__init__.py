"""The task translate: one text becomes another."""
