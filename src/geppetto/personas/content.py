"""What a persona says, whatever the words around it: facts about a participant."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from pydantic import ConfigDict, Field

from geppetto._util.errors import GeppettoError
from geppetto._util.validation import Declared
from geppetto.personas.capitals import within_a_sentence
from geppetto.studies import Item, Norm, Participant, Study, Trait
from geppetto.studies.reference import Reference, response_share
from geppetto.studies.trait import Poles

Verbalisation = Literal["number", "percentile", "band", "adjective"]
BANDS = ("Very low", "Low", "Average", "High", "Very high")
"""Words for a score that is in these parts of the norm, cut at -1.5, -0.5, 0.5 and 1.5 SD.

A score on a cut has the word that is nearer to the average.
"""
_CUTS = (-1.5, -0.5, 0.5, 1.5)


@dataclass(frozen=True)
class Fact:
    """One thing that is known of a participant.

    Attributes
    ----------
    label
        What it is called in running text: "highest level of education".
    value
        What is the case, in words.
    choices
        What else could have been the case, in order, `value` among them; empty for a number.
    quoted
        Whether the value is somebody's words, which stand in quotation marks in running text.

    Examples
    --------
    >>> fact = Fact("age", "age", "How old are you?", "34")
    >>> f"My {fact.label} is {fact.inline}."
    'My age is 34.'
    """

    name: str
    label: str
    question: str
    value: str
    choices: tuple[str, ...] = ()
    quoted: bool = False

    @property
    def inline(self) -> str:
        """The value within a sentence: a name, an acronym and an I keep their capital."""
        return f'"{self.value}"' if self.quoted else within_a_sentence(self.value, self.choices)


class Content(Declared, ABC):
    """Facts that are made of responses to items that are not being predicted.

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> class HowMany(Content):
    ...     def known(self, participant, study):
    ...         number = str(len(study.known_responses(participant)))
    ...         yield Fact("n", "number of answers", "How many did you answer?", number)
    >>> bfi = load_study("bfi")
    >>> [fact.value for fact in HowMany().known(bfi.participant("61618"), bfi)]
    ['25']
    """

    model_config = ConfigDict(strict=True)

    @property
    def depends_on_the_item(self) -> bool:
        """Whether it is chosen for the very item that is to be predicted."""
        return False

    @abstractmethod
    def known(self, participant: Participant, study: Study) -> Iterator[Fact]:
        """What is said of a participant, in the order in which it is said."""


class Scores(Content):
    """Scores of what items measure, from responses to items that are not being predicted.

    A score is the mean response of a person to a construct's known items, keyed, from 1 to the
    number of options; options outside the order count in none. Its norm is that of people who take
    no part in the experiment, for the same items. Traits that have a norm in the codebook are put
    in the same way.

    Attributes
    ----------
    shown_as
        "number"; "percentile", of a normal distribution with the norm's mean and SD; "band", one
        of five words from very low to very high; or "adjective", the codebook's words for the
        ends of the construct, with an intensity (Serapio-García et al. 2023).

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> bfi = load_study("bfi")
    >>> next(Scores().known(bfi.participant("61623"), bfi)).label
    'agreeableness score (1 to 6)'
    """

    shown_as: Verbalisation = "number"

    def known(self, participant: Participant, study: Study) -> Iterator[Fact]:
        for construct in dict.fromkeys(item.measures for item in study.codebook.items):
            items = [
                item
                for item in study.codebook.items
                if construct and item.measures == construct and item.name in participant.responses
            ]
            if items:
                yield from self._construct(construct, items, participant, study)

    def trait(self, trait: Trait, value: float) -> Fact:
        """A trait with a norm, put as scores are."""
        assert trait.norm is not None
        if self.shown_as == "number":
            return Fact(trait.name, trait.label, trait.question, trait.text(value))
        return self._beside_norm(trait.name, trait.label, value, trait.norm, trait.norm.poles)

    def _construct(
        self, construct: str, items: list[Item], participant: Participant, study: Study
    ) -> Iterator[Fact]:
        scales = [study.scale(item) for item in items]
        lengths = {len(scale.ordered) for scale in scales}
        if not all(scale.has_order for scale in scales) or len(lengths) > 1:
            raise GeppettoError(
                f"the items of {construct} have no common scale with an order, so they make no "
                "score; leave out `scores`, or the construct (`measures`) in the codebook"
            )
        found = {
            item: share
            for item in items
            if (share := response_share(study, item.name, participant.responses[item.name]))
            == share
        }
        if not found:
            return
        keyed = {item.name: item.key for item in found}
        share = sum(one if item.key > 0 else 1 - one for item, one in found.items()) / len(found)
        most = lengths.pop()
        if self.shown_as == "number":
            label = f"{construct.lower()} score (1 to {most})"
            yield _score(construct, label, f"{1 + share * (most - 1):.1f}")
            return
        norm = _reference(study).norm(keyed)
        if norm is None:
            raise GeppettoError(
                f"the {construct} scores of people who take no part do not vary, so there is no "
                "norm for it; use `shown_as: number`"
            )
        poles = study.codebook.constructs.get(construct)
        yield self._beside_norm(construct, construct.lower(), share, norm, poles)

    def _beside_norm(
        self, name: str, label: str, value: float, norm: Norm, poles: Poles | None
    ) -> Fact:
        z = (value - norm.mean) / norm.sd
        if self.shown_as == "percentile":
            percentile = round(100 * float(NormalDist().cdf(z)))
            return _score(name, f"{label} percentile", str(min(99, max(1, percentile))))
        if self.shown_as == "adjective" and poles is None:
            raise GeppettoError(
                f"the codebook has no words for the ends of {name}; add its `poles`, or use "
                "another `shown_as`"
            )
        part = sum(z >= cut if cut < 0 else z > cut for cut in _CUTS)
        if self.shown_as == "band" or poles is None:
            return _score(name, f"level of {label}", BANDS[part], BANDS)
        words = adjectives(poles)
        return _score(name, f"result for {label}", words[part], words, quoted=True)


def _score(
    name: str, label: str, value: str, choices: tuple[str, ...] = (), quoted: bool = False
) -> Fact:
    return Fact(name, label, f"What is your {label}?", value, choices, quoted)


def adjectives(poles: Poles) -> tuple[str, ...]:
    """Words for the five bands of a score."""
    low, high = poles.low, poles.high
    words = (f"very {low}", low, f"neither {low} nor {high}", high, f"very {high}")
    return tuple(f"{word[0].upper()}{word[1:]}" for word in words)


class Answers(Content):
    """The participant's own responses to items that are not being predicted.

    Attributes
    ----------
    choose
        "random" items, drawn from `seed` and the same for everybody who responded to the same
        ones; the "related" ones, which correlate most with the item that is to be predicted among
        people who take no part in the experiment, the closest last; or "all", in the order of the
        codebook.
    k
        How many are shown at most, unless all are.
    answer
        Whether a response is shown as the "number" of its option or as its "label".

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> bfi = load_study("bfi")
    >>> known = Answers(k=3).known(bfi.participant("61618"), bfi)
    >>> [f"{fact.name}: {fact.value}" for fact in known]
    ['E5: 3', 'A1: 2', 'O4: 3']
    """

    choose: Literal["random", "related", "all"] = "random"
    k: int = Field(12, ge=1, le=50)
    answer: Literal["number", "label"] = "number"
    seed: int = 0

    @property
    def depends_on_the_item(self) -> bool:
        return self.choose == "related"

    def known(self, participant: Participant, study: Study) -> Iterator[Fact]:
        for item, code in self._chosen(study.known_responses(participant), study):
            labels = study.scale(item).options
            value = code if self.answer == "number" else labels[code]
            yield Fact(
                item.name,
                f'answer to "{item.text.removesuffix(".")}"',
                item.text,
                value,
                () if self.answer == "number" else tuple(dict.fromkeys(labels.values())),
                quoted=not value.isdecimal(),
            )

    def _chosen(self, known: list[tuple[Item, str]], study: Study) -> list[tuple[Item, str]]:
        match self.choose:
            case "all":
                return known
            case "random":
                random.Random(self.seed).shuffle(known)
                return known[: self.k]
            case "related":
                reference = _reference(study)

                def relation(response: tuple[Item, str]) -> float:
                    return sum(reference.relation(response[0].name, item) for item in study.asked)

                return sorted(sorted(known, key=relation, reverse=True)[: self.k], key=relation)


def trait_facts(participant: Participant, study: Study, scores: Scores | None) -> Iterator[Fact]:
    """What the traits of a participant say, in the codebook's order."""
    for trait, value in study.known_traits(participant):
        number = participant.traits[trait.name]
        if scores is not None and trait.norm is not None and not isinstance(number, str):
            yield scores.trait(trait, number)
        else:
            choices = tuple(dict.fromkeys((trait.values or {}).values()))
            own_words = trait.kind == "text"
            yield Fact(trait.name, trait.label, trait.question, value, choices, own_words)


def _reference(study: Study) -> Reference:
    if study.reference is None:
        raise GeppettoError(
            "this persona needs people who take no part in the experiment, to learn norms and "
            "relations between items from, and fewer than 50 are left; take a smaller "
            "`participants: {sample: ...}`"
        )
    return study.reference
