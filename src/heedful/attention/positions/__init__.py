"""One position scheme a file; `table.py` names them all."""
