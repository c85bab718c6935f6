"""Pictures with texts: scenes made of real items, what a grammar says of them, and anybody's pictures with captions."""
