"""What goes out: reading lists, feeds of an edition, the weekly digest."""
