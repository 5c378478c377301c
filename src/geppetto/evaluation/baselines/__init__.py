"""Predictions without a language model, as rows of the same table as its answers.

Some know nothing of a person (a uniform guess, what others answered, a person's habit so far), and
what a persona is worth is measured against the best of them. Others learn from everybody else what
the fields that a strategy may show are worth: what could be predicted from them at all.
"""

from geppetto.evaluation.baselines.rows import baseline_answers, leave_one_out_marginals

__all__ = ["baseline_answers", "leave_one_out_marginals"]
