"""Estimates of what an option loses, one a file; `table.py` names them all, and `exact.py` is the oracle they are held to."""
