"""What it means: from what models answered to what may be said of it, as pure functions of a table.

`Results` has every number of an experiment, each computed when it is first asked for. Answers
become arrays (`predictions`), arms are compared person by person (`differences`), and what that
comes to over people is an effect with a verdict (`inference`). The rooms beside it are one question
each: what needs no language model (`baselines`), what was not said (`bounds`), how far
probabilities are to be believed (`calibration`), whether people are told apart (`individuation`),
and what post-training lost (`pairs`). Nothing here asks a model or writes a file.
"""

from geppetto._util.lazy import lazily
from geppetto.evaluation.contrasts import Contrast, contrasts

__all__ = ["Contrast", "Results", "contrasts"]

__getattr__ = lazily(__name__, {"Results": "results"})
