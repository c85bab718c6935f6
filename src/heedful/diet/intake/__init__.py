"""What comes in: addresses made one, minutes counted, the same story told twice found."""
