"""Behavioural sessions: transcripts of trials in which each context continues from the last."""
