"""Training under a budget of attention: penalties on what gates and spans spend, and windows that grow."""
