"""How facts become a persona: a strategy names its words, these stages do the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from geppetto.personas.content import Answers, Content, Fact, Scores, trait_facts
from geppetto.personas.strategy import PersonaStrategy
from geppetto.studies import Participant, Study


@dataclass(frozen=True)
class Wording:
    """One way to word a persona: what stands before its facts, for each of them, and after.

    `fact` may name {label}, {Label} (with a capital), {question}, {value} as within a sentence,
    {Value} as in the codebook, and, like `opening` and `closing`, the format's own `words`.
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
    """

    between: ClassVar[str] = "\n"
    before_last: ClassVar[str | None] = None

    scores: Scores | None = None
    answers: Answers | None = None

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
        said = list(trait_facts(participant, study, scores))
        for content in self.contents:
            said += content.known(participant, study)
        return said

    def say(self, fact: Fact) -> str:
        """One fact in the format's words."""
        template: str = self.wording.fact
        return template.format(
            label=fact.label,
            Label=_capitalised(fact.label),
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
        opening, closing = (
            text.format(**self.words) for text in (wording.opening, wording.closing)
        )
        return f"{opening}{said}{last}{closing}"

    def write(self, participant: Participant, study: Study) -> str:
        facts = self.facts(participant, study)
        return self.arrange(facts) if facts else ""


def _capitalised(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
