"""Exact attention a tile at a time: what is to be done (`work.py`), and the engines that do it (`engines.py`)."""
