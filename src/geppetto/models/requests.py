"""What a model is sent to generate from, and what comes back."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from geppetto._util.characters import mended
from geppetto.models.identity import ModelIdentity
from geppetto.prompts.chat import Turn

Finish = Literal["stop", "length", "filter", "error"]

Said = Annotated[str, AfterValidator(mended)]
"""What a server says, which may cut a character in two: then it has a sign in its place (U+FFFD),
so that one such reply can be stored as any other."""


class Capabilities(BaseModel):
    """What an interface was seen to give; see `geppetto.models.endpoint.probe`.

    Attributes
    ----------
    chat, completion
        Whether it answers turns, and whether it continues plain text.
    system_role
        Whether it takes system turns.
    top_logprobs
        How many alternatives it gives at each token that it says; 0 without any.
    echo
        Whether it gives the log-probabilities of a text that it is sent, verified on a known one.
    any_temperature
        Whether it may be asked at another temperature than 1.
    reasons
        Whether it reasons before it answers although it was not asked to.
    thinking_cut
        Whether the limit ended it while it was still thinking, so that it said nothing.
    deterministic
        Whether it said the same with the same log-probabilities twice at temperature 0.
    varies
        Whether it said different things at temperature 1, so that samples are not copies.
    priced
        Whether the price of its tokens is known.

    Examples
    --------
    >>> Capabilities(chat=True, top_logprobs=20).echo
    False
    """

    model_config = ConfigDict(frozen=True)

    chat: bool = False
    completion: bool = False
    system_role: bool = False
    top_logprobs: int = 0
    echo: bool = False
    any_temperature: bool = True
    reasons: bool = False
    thinking_cut: bool = False
    deterministic: bool = False
    varies: bool = False
    priced: bool = False


EVERYTHING = Capabilities(
    chat=True,
    completion=True,
    system_role=True,
    top_logprobs=100,
    echo=True,
    deterministic=True,
    varies=True,
    priced=True,
)
"""The most that any interface could give."""


class Request(BaseModel):
    """One thing that a model is asked to say, or to give the log-probabilities of.

    Attributes
    ----------
    turns
        The conversation so far, if it is a chat.
    text
        The plain text to continue, if it is not.
    temperature
        0 always says the most probable token.
    max_tokens
        The most tokens that it may say.
    top_logprobs
        How many alternatives to give at each token that it says.
    echo
        Whether the log-probabilities of the tokens of `text` are asked for, and nothing is said.
    sample
        Number of the repetition of the same question: repetitions are different requests.
    drawn_for
        Participant for whom the reply is drawn, if it is drawn: people who are put the same
        question have draws of their own. Told to nobody.

    Examples
    --------
    >>> from geppetto.models import ModelIdentity
    >>> request = Request(text="Answer: ", max_tokens=1)
    >>> one, other = (ModelIdentity(name=name, model="openai/m") for name in "ab")
    >>> request.id(one) == request.id(other)
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    turns: tuple[Turn, ...] = ()
    text: str = ""
    temperature: float = 0.0
    max_tokens: int
    top_logprobs: int = 0
    echo: bool = False
    sample: int = 0
    drawn_for: str = ""

    @property
    def shown(self) -> str:
        """What is sent, as one text: turns stand under their roles."""
        said = (f"[{turn.role}]\n{turn.content}" for turn in self.turns)
        return self.text or "\n\n".join(said)

    def id(self, model: ModelIdentity) -> str:
        """Content hash of everything that changes the reply; what the model is called does not."""
        asked_of = {key: value for key, value in model.of_completions.items() if key != "name"}
        content = [self.model_dump(), asked_of]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Token(BaseModel):
    """A token that was said or echoed.

    Attributes
    ----------
    text
        What it spells.
    log_prob
        Its log-probability given all before it, in nats; None of the first token of an echo.
    top
        The most probable tokens at its place with their log-probabilities, most probable first.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    text: Said
    log_prob: float | None
    top: tuple[tuple[Said, float], ...] = ()


class Completion(BaseModel):
    """What came back of a request.

    Attributes
    ----------
    text
        What was said.
    reasoning
        What was said before it as reasoning, if the interface keeps that apart.
    finish
        Why it ended: by itself, at the most tokens, by a filter; or "error" if there is no reply.
    tokens
        What was said (or, of an echo, sent), token by token, if log-probabilities were asked for.
    model
        The model that replied, as it calls itself.
    address
        Where the request was sent, as LiteLLM resolved it; without credentials.
    prompt_tokens, completion_tokens, reasoning_tokens
        Numbers of tokens, as the interface counts them.
    cost
        In dollars; None if the price is not known.
    seconds
        From the request that was answered to its reply; None if nothing came, or what came was
        filtered whole.
    attempts
        How often it was sent.
    error
        Why there is no reply, after all attempts.
    hopeless
        Whether it would be the same if the same were asked again.

    Examples
    --------
    >>> Completion(text="4", completion_tokens=1).finish
    'stop'
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    text: Said = ""
    reasoning: Said = ""
    finish: Finish = "stop"
    tokens: tuple[Token, ...] = ()
    model: Said = ""
    address: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = None
    seconds: float | None = None
    attempts: int = 1
    error: Said = ""
    hopeless: bool = False
