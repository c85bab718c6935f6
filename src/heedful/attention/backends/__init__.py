"""The ways to compute a call of `attend`; `table.py` is the dispatch table."""
