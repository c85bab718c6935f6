"""The kinds of model whose attention can be watched and replaced."""
