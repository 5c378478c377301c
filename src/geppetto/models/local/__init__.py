"""Models on this machine: weights, exact probabilities of token trees, and replies."""
