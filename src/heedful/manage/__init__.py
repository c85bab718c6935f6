"""The manager: profile a model's heads, fit them to a budget, make the model really faster, and verify what was lost."""
