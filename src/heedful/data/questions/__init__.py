"""Questions and what they are matched with: known questions, answers, intents, and what is outside of all of them."""
