"""Sound: files of any form at any rate as waves, waves as log-mel frames, and how both are varied."""
