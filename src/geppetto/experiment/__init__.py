"""One question, from its file to what was found: prepare, generate personas, run."""
