"""What real logs say of the simulated world's parameters, one log a file."""
