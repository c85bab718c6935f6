"""How a decoder looks at what was heard: by content, by where it looked before, or never back; one a file."""
