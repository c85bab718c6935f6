"""One score a file; `table.py` names them all."""
