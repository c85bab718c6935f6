"""Floor 4: pages that show where attention went."""
