"""Which cells, conditions, prompts and costs: everything that is known before anything is asked."""
