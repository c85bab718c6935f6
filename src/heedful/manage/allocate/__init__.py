"""Choosing one option for each head within a budget: a multiple-choice knapsack with costs of groups."""
