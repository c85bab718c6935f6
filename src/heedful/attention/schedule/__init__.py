"""Which blocks of pairs hold something, and which pairs in them: what the fast engines read instead of a mask."""
