"""The reader's page: the day's edition, reading with highlights, search, the label, settings; and the same as a JSON API and feeds."""
