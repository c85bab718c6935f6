"""The task speech: what is said in a recording, or in a stream."""
