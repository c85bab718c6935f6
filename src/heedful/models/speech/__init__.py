"""Models that hear: convolutions, encoders that may stream, decoders that look back, and their search."""
