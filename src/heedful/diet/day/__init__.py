"""A reader's day: what items are worth to the reader, the edition made of them, and why each is in it or not."""
