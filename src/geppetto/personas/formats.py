"""How facts become a persona: a strategy names its words, these stages do the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from geppetto._util.errors import GeppettoError
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.content import Answers, Content, Fact, Scores, trait_facts
from geppetto.studies import Participant, Study


@dataclass(frozen=True)
class Wording:
    """One way to word a persona: what stands before its facts, for each of them, and after.

    `fact` may name {label}, {Label} (with a capital), {question}, {value} as within a sentence,
    {Value} as in the codebook, and, like `opening` and `closing`, the format's own `words`.

    Examples
    --------
    >>> Wording("My {label} is {value}.").fact.format(label="age", value="34")
    'My age is 34.'
    """

    fact: str
    opening: str = ""
    closing: str = ""


class Format(PersonaStrategy):
    """A strategy that says any facts in its own words.

    A subclass gives its `paraphrases`, each a `Wording`; which facts they are put to is the same
    choice for all formats.

    Attributes
    ----------
    between, before_last
        What stands between two facts, and before the last one if that differs.
    scores
        Which scores are shown; none by default. See `Scores`.
    answers
        Which of the participant's own other responses are shown; none by default. See `Answers`.

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> class Short(Format):
    ...     paraphrases = (Wording("My {label} is {value}."),)
    ...     between = " "
    >>> bfi = load_study("bfi")
    >>> Short().write(bfi.participant("61623"), bfi)
    'My gender is female. My highest level of education is some college. My age is 21.'
    """

    between: ClassVar[str] = "\n"
    before_last: ClassVar[str | None] = None

    scores: Scores | None = None
    answers: Answers | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        wordings = cls.paraphrases
        if not (isinstance(wordings, tuple) and all(isinstance(w, Wording) for w in wordings)):
            raise TypeError(f"the paraphrases of {cls.__name__} must be a tuple of Wording(...)")

    @property
    def contents(self) -> tuple[Content, ...]:
        """What is said beside traits."""
        return tuple(content for content in (self.scores, self.answers) if content is not None)

    @property
    def reads_responses(self) -> bool:  # type: ignore[override]  # a matter of the parameters here
        return bool(self.contents)

    @property
    def one_item_at_a_time(self) -> bool:  # type: ignore[override]  # likewise
        return any(content.depends_on_the_item for content in self.contents)

    @property
    def words(self) -> Mapping[str, str]:
        """Words that the format's parameters choose, for its templates."""
        return {}

    def facts(self, participant: Participant, study: Study) -> list[Fact]:
        """What is said of the participant: traits, then scores, then answers."""
        scores = next((content for content in self.contents if isinstance(content, Scores)), None)
        if scores is not None:
            self._refuse_no_scores(study)
        said = list(trait_facts(participant, study, scores))
        for content in self.contents:
            said += content.known(participant, study)
        return said

    def say(self, fact: Fact) -> str:
        """One fact in the format's words."""
        return filled(
            self.wording.fact,
            label=fact.label,
            Label=f"{fact.label[:1].upper()}{fact.label[1:]}",
            question=fact.question,
            value=fact.inline,
            Value=fact.value,
            **self.words,
        )

    def arrange(self, facts: Sequence[Fact]) -> str:
        """All facts with what stands around them."""
        *others, last = map(self.say, facts)
        said = self.between.join(others)
        if others:
            said += self.between if self.before_last is None else self.before_last
        wording: Wording = self.wording
        opening = filled(wording.opening, **self.words)
        closing = filled(wording.closing, **self.words)
        return f"{opening}{said}{last}{closing}"

    def write(self, participant: Participant, study: Study) -> str:
        facts = self.facts(participant, study)
        return self.arrange(facts) if facts else ""

    def _refuse_no_scores(self, study: Study) -> None:
        shown = study.traits if self.traits is None else self.traits
        if not any(item.measures for item in study.codebook.items) and not any(
            study.trait(name).norm for name in shown
        ):
            raise GeppettoError(
                f"study {study.name} has no scores: its items declare no `measures`, and no trait "
                "that is shown has a `norm`; add them to its codebook, or show no scores"
            )


def filled(template: str, **words: str) -> str:
    """A template of a wording with its names replaced; a ValueError if it has another name."""
    try:
        return template.format(**words)
    except (AttributeError, LookupError, ValueError) as error:
        names = ", ".join(f"{{{word}}}" for word in words) or "none"
        raise ValueError(
            f"cannot fill the wording {template!r} ({error}); names that it may have: {names}; "
            "write {{ and }} for braces"
        ) from error
