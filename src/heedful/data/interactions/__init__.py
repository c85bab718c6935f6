"""Interactions of users with items: logs, their layouts, their order and their parts."""
