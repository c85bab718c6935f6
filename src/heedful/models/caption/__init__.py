"""Models that describe pictures and answer questions about them, by attention from words to places."""
