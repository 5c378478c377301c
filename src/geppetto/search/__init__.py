"""Which strategy is best: searched on some people, to be confirmed on others."""
