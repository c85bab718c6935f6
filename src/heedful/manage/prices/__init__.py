"""What options cost on this machine: milliseconds measured through the code that a plan runs, operations and bytes by formula."""
