"""Models that read one text and write another: a transformer and a recurrent one, their search, and copying from the source."""
