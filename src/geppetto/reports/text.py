"""What verdicts come to together, in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from geppetto.evaluation.contrasts import BENEFIT, INFORMATION
from geppetto.evaluation.inference.verdicts import UNDONE, Verdict
from geppetto.evaluation.words import over


def conclusion(verdicts: Sequence[Verdict]) -> str:
    """All confirmatory verdicts in a few sentences.

    People are said to be predicted better only where both hold: it matters whose persona it is,
    and to be told it improves on the best prediction that knows nothing of the person.
    """
    wanted = [verdict for verdict in verdicts if verdict.confirmatory]
    if not wanted and any(verdict.effect.answers_question for verdict in verdicts):
        return (
            "Information was not decided: one sample says nothing of how sure a model is; ask "
            "`samples` with a `k` of at least 2."
        )
    if not wanted:
        return "Information was not measured: it needs the arms shuffled and own."
    if all(verdict.little_mass for verdict in wanted):
        least = min(wanted, key=lambda verdict: verdict.effect.differences.mass)
        return f"Withheld: {least.little_mass}."
    reasons = {verdict.undecidable for verdict in wanted}
    if len(reasons) == 1 and (reason := reasons.pop()):
        return f"Undecided: {reason}."
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in wanted:
        found.setdefault((verdict.effect.strategy, verdict.effect.model), []).append(verdict)
    said: dict[str, list[str]] = {}
    for (strategy, model), of_both in found.items():
        undone = "" if all(one.survives_bounds for one in of_both) else f", {UNDONE}"
        said.setdefault(_concluded(of_both), []).append(f"{strategy} ({model}){undone}")
    return " ".join(f"With {', '.join(named)}: {text}." for text, named in said.items())


def _concluded(of_both: Sequence[Verdict]) -> str:
    by_name = {one.effect.contrast.name: one.finding for one in of_both}
    information, benefit = by_name.get(INFORMATION.name), by_name.get(BENEFIT.name)
    if information == benefit == "positive":
        return (
            "people are predicted better than with a stranger's persona, and better than by "
            "the best of what was compared that knows nothing of them"
        )
    within = f"{of_both[0].smallest:g} nats"
    of_information = {
        "positive": "it matters whose persona it is",
        "negative": "a stranger's persona predicts people better than their own",
        "equivalent": f"whose persona it is matters by less than {within}",
        "undecided": "it is open whether it matters whose persona it is",
    }
    of_benefit = {
        "positive": "own personas do better than what knows nothing of the person",
        "negative": "what knows nothing of the person predicts better",
        "equivalent": f"less than {within} are gained over what knows nothing of the person",
        "undecided": "whether anything is gained over what knows nothing of the person is open",
    }
    not_measured = (
        "whether it matters whose persona it is was not asked (it takes the arm shuffled)"
    )
    parts = [of_information[information] if information else not_measured]
    if benefit:
        joint = "but " if (information, benefit) == ("positive", "negative") else "and "
        parts.append(joint + of_benefit[benefit])
    return ", ".join(parts)


def scale(verdict: Verdict) -> str:
    """What a verdict's numbers are of, and which of them count as nothing."""
    if verdict.effect.measure == "brier":
        return (
            "Brier scores are from 0 to 2, of samples without bias. Nothing is called "
            "equivalent to nothing: the smallest effect of interest is in nats."
        )
    return (
        f"Less than {verdict.smallest:g} nats either way counts as nothing. "
        f"Nats are {over(verdict.effect.measure)}."
    )


def units(verdicts: Sequence[Verdict]) -> str:
    """What the numbers of some verdicts are, as the name of an axis or a column."""
    return " or ".join(dict.fromkeys(one.unit_of_measure.removeprefix("of ") for one in verdicts))


_MARKUP = re.compile(r"[\\`*~$]|<(?=\S)|(?<=\])[(\[]|(?<!\w)_|_(?!\w)")
"""What Markdown would take for more than the sign that it is."""


def in_markdown(text: str) -> str:
    """What users wrote, so that Markdown shows it as it is.

    Examples
    --------
    >>> print(in_markdown("Is *this* <b>better</b> than known_answers [0, 1]?"))
    Is \\*this\\* \\<b>better\\</b> than known_answers [0, 1]?
    """
    return _MARKUP.sub(r"\\\g<0>", text)
