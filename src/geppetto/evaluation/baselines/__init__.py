"""Predictions that know of a person what a strategy may show, and those that know nothing."""
