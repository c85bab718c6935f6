"""Floor 7: a server of runs, with an API and a page."""
