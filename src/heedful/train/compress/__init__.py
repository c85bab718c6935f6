"""Models made really smaller: heads and channels cut out, weights in eight bits, and what that lost."""
