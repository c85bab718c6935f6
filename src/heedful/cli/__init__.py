"""The command `heedful`: one file a command, nothing heavy imported before a command runs."""
