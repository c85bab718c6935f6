"""Linear attention: feature maps, and one form a file."""
