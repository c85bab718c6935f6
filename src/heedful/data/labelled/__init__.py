"""Texts with a class each: tables, named sets, and batches of similar lengths."""
