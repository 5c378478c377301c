"""A starting point: `geppetto personas new` copies this file."""

from typing import ClassVar, Literal

from geppetto.personas import Format, Wording


class NewPersona(Format):
    """One sentence of everything that is known of the participant."""

    # Each paraphrase says the same in other words; `paraphrase: 1` takes the second one. Facts are
    # traits, and scores or answers to other items if asked for, as with `answers: {k: 5}`. A fact
    # may be put as {label} or {Label}, {value} or {Value}, and {question}.
    paraphrases: ClassVar = (
        Wording("whose {label} is {value}", "You are a {who} ", "."),
        Wording("whose {label} is {value}", "Imagine that you are a {who} ", "."),
    )
    between: ClassVar = ", "
    before_last: ClassVar = " and "

    # A typed field is a parameter: experiments set it (`--set who=citizen` in a preview), and its
    # type says what a search may try.
    who: Literal["person", "citizen"] = "person"

    @property
    def words(self) -> dict[str, str]:
        return {"who": self.who}  # for the wordings above


# For full control over the text, write it yourself, with this in place of the above:
#
# from geppetto.personas import PersonaStrategy
# from geppetto.studies import Participant, Study
#
#
# class NewPersona(PersonaStrategy):
#     """What the participant has answered before."""
#
#     reads_responses = True  # be given responses too, to items that are not being predicted
#
#     def write(self, participant: Participant, study: Study) -> str:
#         said = [f"{trait.label}: {value}" for trait, value in study.known_traits(participant)]
#         said += [f"{item.text} {code}" for item, code in study.known_responses(participant)]
#         return "\n".join(said)  # an empty text if nothing is known
