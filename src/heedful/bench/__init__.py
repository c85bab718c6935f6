"""`heedful bench`: correctness first, then time, each figure a ratio to a peer in the same run."""
