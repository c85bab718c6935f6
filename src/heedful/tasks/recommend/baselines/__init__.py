"""What every ranker stands beside, always trained and printed with it: popularity, recency, neighbours, a Markov chain, EASE."""
