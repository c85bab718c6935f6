"""Models under a plan as files that open like any other."""
