"""Pairs of a base model and what was post-trained from it: what is lost, what personas recover."""
