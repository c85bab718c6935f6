"""What a head may be given instead of all of its attention, one option a file; `table.py` names them all."""
