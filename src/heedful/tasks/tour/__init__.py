"""The tour behind `heedful demo`: train, measure, look, and say what it took."""
