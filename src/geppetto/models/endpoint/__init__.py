"""Models behind an interface, by LiteLLM: addresses, faults, limits, a probe of what they can."""
