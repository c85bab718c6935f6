"""The two-tower matcher of questions, and its re-ranker."""
