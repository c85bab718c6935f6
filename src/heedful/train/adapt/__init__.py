"""Fitting a trained model to other data, or back to what it was before a plan, by few parameters; and models that spend by need."""
