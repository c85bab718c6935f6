"""Texts and what they become: translations, summaries; tables, parallel files, named and generated sets, batches by tokens."""
