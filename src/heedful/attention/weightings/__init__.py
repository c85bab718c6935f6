"""One weighting a file; `table.py` names them all."""
