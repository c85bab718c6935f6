"""The task summarise: a short text for a long one, written or picked."""
