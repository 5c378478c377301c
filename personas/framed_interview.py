"""An interview that the model is told it is giving (Lutz et al. 2025, interview format)."""

from typing import ClassVar, Literal

from geppetto.personas import Format, Wording

SPEAKERS = {
    "roles": {"asks": "Interviewer", "answers": "Interviewee"},
    "numbers": {"asks": "Speaker 1", "answers": "Speaker 2"},
}


class FramedInterview(Format):
    """Interview turns under a frame: the model speaks for the interviewee and stays consistent."""

    paraphrases: ClassVar = (
        Wording(
            "{asks}: What is your {label}?\n{answers}: {Value}",
            "In this interview you speak for the {answers}. Answer in keeping with everything "
            "that the {answers} has said.\n\n",
        ),
        Wording(
            "{asks}: Please tell me your {label}.\n{answers}: {Value}",
            "You are the {answers} of the following conversation and go on with it. What you say "
            "must agree with what was said before.\n\n",
        ),
        Wording(
            "{asks}: And your {label} is?\n{answers}: {Value}",
            "Continue the interview as the {answers}, who does not contradict earlier answers.\n\n",
        ),
    )
    between: ClassVar = "\n\n"

    speakers: Literal["roles", "numbers"] = "roles"

    @property
    def words(self) -> dict[str, str]:
        return SPEAKERS[self.speakers]
