"""The inputs of a run that methods are compared on, a file a task."""
