"""Gates: layers that scale features by what they read in them."""
