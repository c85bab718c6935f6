"""Rankers: models that read a history of items and score every item as the next."""
