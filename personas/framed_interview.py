"""An interview that the model is told it is giving (Lutz et al. 2025, interview format)."""

from typing import ClassVar, Literal

from geppetto.personas import Format, Wording

SPEAKERS = {
    "roles": {"asks": "Interviewer", "replies": "Interviewee", "you": "the interviewee"},
    "numbers": {"asks": "Speaker 1", "replies": "Speaker 2", "you": "Speaker 2"},
}


class FramedInterview(Format):
    """Interview turns under a frame: the model speaks for the interviewee and stays consistent."""

    paraphrases: ClassVar = (
        Wording(
            "{asks}: What is your {label}?\n{replies}: {Value}",
            "In this interview you are {you}. Answer in keeping with everything that {you} has "
            "said.\n\n",
        ),
        Wording(
            "{asks}: Please tell me your {label}.\n{replies}: {Value}",
            "You are {you} in the following conversation, and it goes on with your next answer. "
            "What you say must agree with what you have said before.\n\n",
        ),
        Wording(
            "{asks}: And your {label}?\n{replies}: {Value}",
            "Continue the interview below as {you}, without contradicting earlier answers.\n\n",
        ),
    )
    between: ClassVar = "\n\n"

    speakers: Literal["roles", "numbers"] = "roles"

    @property
    def words(self) -> dict[str, str]:
        return SPEAKERS[self.speakers]
