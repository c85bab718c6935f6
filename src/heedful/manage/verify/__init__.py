"""What a plan loses, with a bound, and what it saves, measured: one idea a file."""
