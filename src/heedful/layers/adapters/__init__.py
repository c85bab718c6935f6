"""Small modules beside a block's own, which learn while the rest stays as it is."""
