"""The gates that a model has, treated as options: kept, closed where they are nearly shut, or removed."""
