"""Patches that were left out of a picture, filled in."""
