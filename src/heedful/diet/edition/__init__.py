"""Which items make a day's edition: value, coverage and redundancy under minutes, floors and ceilings."""
