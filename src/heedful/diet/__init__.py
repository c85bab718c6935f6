"""The information diet: a reader's minutes, spent on what is worth them."""
