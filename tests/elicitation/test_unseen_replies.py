"""Replies that were written before the rules of outcomes were looked at, and what they find.

The second set is of hard cases, written after the rules were changed for the first and before they
were run on it.
"""

import pytest

from geppetto.elicitation.base import Question
from geppetto.elicitation.outcomes import outcome
from geppetto.elicitation.parsing import option_in, said
from geppetto.models.requests import Completion

SIX = tuple("123456")
YES_NO = ("Yes", "No")
OR_NOT_TO_SAY = ("Yes", "No", "Prefer not to say")
STAND = ("I can't stand it", "I don't mind it", "I enjoy it")
LETTERS = tuple("ABCD")
AGREE = ("Agree", "Neither agree nor disagree", "Disagree")
GERMAN = ("Ja", "Nein")

OnDemand = list[tuple[tuple[str, ...], str, str]]

FIRST: OnDemand = [
    (YES_NO, "No.", "No"),
    (YES_NO, "no, not really", "No"),
    (YES_NO, "Nope. No.", "No"),
    (SIX, "I don't think so, so 2", "2"),
    (SIX, "I'm not able to sit still for long, so I'd put 5.", "5"),
    (SIX, "3. Can't say I ever cared much for poetry.", "3"),
    (SIX, "6 - I simply cannot refuse people who need me", "6"),
    (SIX, "As someone who struggles to open up, I'd say 2", "2"),
    (SIX, "Honestly I couldn't tell you why, but 4.", "4"),
    (SIX, "My apologies if that sounds harsh: 1", "1"),
    (SIX, "Sorry to say it, 1.", "1"),
    (SIX, "Reckon that's a 4, mate.", "4"),
    (SIX, "I won't lie, 6", "6"),
    (SIX, "Unfortunately, 5.", "5"),
    (SIX, "5\n\nI decline invitations most weekends.", "5"),
    (OR_NOT_TO_SAY, "Prefer not to say", "Prefer not to say"),
    (OR_NOT_TO_SAY, "I'd prefer not to say.", "Prefer not to say"),
    (OR_NOT_TO_SAY, "Prefer not to say. It is nobody's business.", "Prefer not to say"),
    (STAND, "I can't stand it", "I can't stand it"),
    (STAND, "I can't stand it, sorry.", "I can't stand it"),
    (STAND, "I don't mind it", "I don't mind it"),
    (AGREE, "Disagree. I'm unable to see the appeal.", "Disagree"),
    (AGREE, "Neither agree nor disagree", "Neither agree nor disagree"),
    (AGREE, "Agree, though I'm not comfortable admitting it", "Agree"),
    (LETTERS, "B", "B"),
    (LETTERS, "(C) because I can't help worrying", "C"),
    (LETTERS, "My answer is D.", "D"),
    (GERMAN, "Nein.", "Nein"),
    (GERMAN, "Nein, das kann ich nicht sagen, dass ich das mag.", "Nein"),
    (SIX, "Ich würde sagen 4", "4"),
    (SIX, "Moi, je dirais 2.", "2"),
    (SIX, "Yo diría que un 5", "5"),
    (SIX, "I'm afraid that's not something I can do.", "refusal"),
    (SIX, "I must respectfully pass on this one.", "refusal"),
    (SIX, "That isn't a question I'm comfortable answering.", "refusal"),
    (SIX, "I'd rather not rate a person on this scale.", "refusal"),
    (SIX, "No comment.", "refusal"),
    (
        SIX,
        "Thanks for asking, but I don't have feelings or personal experiences to rate.",
        "refusal",
    ),
    (SIX, "Being a large language model, I have no personality to describe.", "refusal"),
    (SIX, "It would be inappropriate for me to pretend to be this individual.", "refusal"),
    (SIX, "My guidelines prevent me from giving a rating here.", "refusal"),
    (SIX, "Let's talk about something else instead.", "refusal"),
    (SIX, "I shan't be answering that.", "refusal"),
    (SIX, "I have to decline.", "refusal"),
    (SIX, "Apologies, but this request is outside what I'm permitted to do.", "refusal"),
    (SIX, "There isn't enough information about this person for me to answer.", "refusal"),
    (YES_NO, "I can't answer yes or no to that.", "refusal"),
    (YES_NO, "No, I won't answer that question.", "refusal"),
    (YES_NO, "No, I'm sorry, I cannot take part in this survey.", "refusal"),
    (STAND, "I can't say which of these applies, and I'd rather not guess.", "refusal"),
    (LETTERS, "A language model has no opinions, so I will not choose.", "refusal"),
    (SIX, "1 through 6 are all wrong to assign to a real person; I refuse.", "refusal"),
    (GERMAN, "Dazu möchte ich mich nicht äußern.", "refusal"),
    (SIX, "Als KI-Sprachmodell habe ich keine Persönlichkeit.", "refusal"),
    (SIX, "Je suis désolé, mais je ne peux pas répondre à cette question.", "refusal"),
    (SIX, "Lo siento, no puedo ayudar con eso.", "refusal"),
    (SIX, "It depends on the day, really.", "unparseable"),
    (SIX, "Somewhere between 2 and 5, maybe.", "unparseable"),
    (YES_NO, "Sometimes yes, sometimes no.", "unparseable"),
    (SIX, "What a lovely question!", "unparseable"),
]
"""What may be answered, what was replied, and what a reader takes it for: an option, a refusal
(also as a program) or neither."""

HARD: OnDemand = [
    (SIX, "Sorry mate, not my place to judge.", "refusal"),
    (SIX, "That's private, I'm keeping it to myself.", "refusal"),
    (SIX, "I don't feel able to put a number on that.", "refusal"),
    (SIX, "Can I skip this one?", "refusal"),
    (SIX, "I'll have to skip that.", "refusal"),
    (SIX, "I'm an AI so there is nothing to rate.", "refusal"),
    (SIX, "Rating people conflicts with my policies.", "refusal"),
    (SIX, "Impossible for me to tell from this.", "refusal"),
    (SIX, "I cannot in good conscience answer for someone else.", "refusal"),
    (SIX, "As a chatbot I do not socialise.", "refusal"),
    (SIX, "Declined.", "refusal"),
    (YES_NO, "No answer from me, thanks.", "refusal"),
    (SIX, "I wouldn't want to guess.", "refusal"),
    (SIX, "It's not possible to know how they'd respond.", "refusal"),
    (SIX, "I refuse nobody who asks, that's me", "unparseable"),
    (SIX, "I can't say no to a party", "unparseable"),
    (SIX, "I would never turn down helping others", "unparseable"),
    (SIX, "I pass out at the sight of blood", "unparseable"),
    (SIX, "I could not complete a puzzle to save my life", "unparseable"),
    (SIX, "Not enough hours in my day for that", "unparseable"),
    (SIX, "I'm afraid of spiders, but otherwise calm", "unparseable"),
    (SIX, "I will pass the salt to anyone", "unparseable"),
    (SIX, "People say I'm not someone who shares much", "unparseable"),
    (SIX, "My teachers had to help me constantly", "unparseable"),
]


def became(options: tuple[str, ...], text: str) -> str:
    """The option that a reply is read as, or its outcome; a refusal as a program is a refusal."""
    pairs = tuple((option, option) for option in options)
    asked = Question(turns=(), cue="Answer:", options=pairs, labels=pairs, kind="chat")
    completion = Completion(text=text)
    option = option_in(said(completion, "chat"), asked)
    if option is not None:
        return options[option]
    found = outcome(completion, "chat", text, False, asked.wordings)
    return "refusal" if found == "out of role" else found


@pytest.mark.parametrize(
    ("completions", "refused", "rightly", "of"), [(FIRST, 20, 20, 24), (HARD, 4, 3, 14)]
)
def test_refusals_are_found_as_often_as_the_page_on_models_says(
    completions: OnDemand, refused: int, rightly: int, of: int
) -> None:
    found = [(became(options, text), truth) for options, text, truth in completions]
    assert sum(became == "refusal" for became, _ in found) == refused
    assert sum(became == truth == "refusal" for became, truth in found) == rightly
    assert sum(truth == "refusal" for _, truth in found) == of


def test_a_reply_is_never_read_as_an_option_that_it_is_not() -> None:
    for options, text, truth in FIRST:
        assert became(options, text) in {truth, "unparseable"}, text


def test_an_option_in_words_of_a_refusal_is_no_refusal() -> None:
    assert became(OR_NOT_TO_SAY, "Prefer not to say") == "Prefer not to say"
    assert became(OR_NOT_TO_SAY, "I'd prefer not to say.") == "unparseable"
    assert became(YES_NO, "I'd prefer not to say.") == "refusal"
