"""What the minutes went to, against what the reader wanted of them."""
