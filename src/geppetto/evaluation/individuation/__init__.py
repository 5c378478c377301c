"""Whether predictions tell people apart, and whether people are found by their personas."""
