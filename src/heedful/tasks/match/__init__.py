"""The task match: which known question, answer or intent a text means."""
