"""Quality against milliseconds, for plans and for what they must be better than: one idea a file."""
