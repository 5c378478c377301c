"""How far probabilities can be believed, and contrasts at one temperature a model."""
