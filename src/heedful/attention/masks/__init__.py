"""One rule a file, and the algebra over them; `table.py` names them all."""
