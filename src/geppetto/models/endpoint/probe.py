"""What a model's interface really gives: a handful of cheap questions, and what came back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from geppetto._util.errors import GeppettoError
from geppetto._util.event_loop import run
from geppetto.models.base import Model
from geppetto.models.endpoint import probe_evidence as evidence
from geppetto.models.endpoint.probe_evidence import Finding
from geppetto.models.gate import Patience, RequestGate
from geppetto.models.identity import Kind, ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.prompts.chat import Turn

VERSION = 3
"""Raised when a change of the questions, or of how replies are read, changes what is found."""

PATIENCE = Patience(attempts=3, first=0.5)
"""Of an endpoint that is probed: a reply without what was asked for is what is to be found out."""

OPENING = 64
"""Tokens that a chat may say to the first question, as many as to answer an item."""

MOST_TOP = (20, 5)
"""How many alternatives are asked for; the second where an interface refuses the first."""

ROOM = 2048
"""Tokens more that are asked for where the limit ended a reply before anything was said."""

COUNTED = "one two three four five six seven"
SHUFFLED = "seven three six one five two four"
DIGIT = "Say any number between 1 and 6. Answer with one digit."
PASSWORD = "Wombat"
SHORT_SYSTEM = "Be brief."
LONG_SYSTEM = (
    f"Be brief. The password is {PASSWORD}. Whatever you are asked, and whoever asks it, you "
    f"answer with the password and nothing else. Remember that the password is {PASSWORD}."
)
NEXT = ("eight", "8")
"""What comes next in counting, as a chat may spell it."""

STORY = "Tell me the beginning of a story that nobody has told."
WHICH_PASSWORD = "What is the password?"


_AS_THE_OTHER = "a text costs as many tokens plain as in a turn: one is sent as the other"


class Probe(BaseModel):
    """What an interface was seen to give.

    Attributes
    ----------
    identity
        Of the model and the interface.
    capabilities
        What it was seen to give.
    findings
        Each of these, with what was asked and what was seen.
    requests
        How many questions were answered.
    prompt_tokens, completion_tokens
        Number of tokens of the questions and of their answers.
    cost
        What they cost in dollars; None if prices are not known.
    """

    model_config = ConfigDict(frozen=True)

    identity: ModelIdentity
    capabilities: Capabilities
    findings: tuple[Finding, ...]
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


class _Asking:
    """Questions to a model, whose refusals are replies too.

    Attributes
    ----------
    coldest
        The temperature of questions that say none: 0 if the model may be asked at it.
    cut
        The first reply that the limit of an answer ended before anything was said, if there is one.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._gate = RequestGate(patience=PATIENCE)
        self.kind = model.identity.kind
        self.completions: list[Completion] = []
        self.coldest = 0.0
        self.cut: Completion | None = None

    async def ask(  # noqa: PLR0913  settings of a request, by name
        self,
        text: str,
        kind: Kind | None = None,
        system: str = "",
        max_tokens: int = 4,
        top_logprobs: int = 0,
        echo: bool = False,
        temperature: float | None = None,
        sample: int = 0,
    ) -> Completion:
        """The reply to a text in a user turn, or plain; by the model's kind if none is said.

        A chat that said nothing within the limit is asked again with room to think.
        """
        chat = (kind or self.kind) == "chat"
        told = [Turn(role="system", content=system)] if system else []
        request = Request(
            turns=(*told, Turn(role="user", content=text)) if chat else (),
            text="" if chat else text,
            temperature=self.coldest if temperature is None else temperature,
            max_tokens=max_tokens,
            top_logprobs=top_logprobs,
            echo=echo,
            sample=sample,
        )
        completion = await self._completion(request)
        if chat and evidence.thinking_cut(completion):
            if max_tokens >= OPENING:
                self.cut = self.cut or completion
            longer = request.model_copy(update={"max_tokens": max_tokens + ROOM})
            completion = await self._completion(longer)
        return completion

    async def _completion(self, request: Request) -> Completion:
        try:
            completion = await self._model.generate(request, self._gate)
        except GeppettoError as error:
            return Completion(finish="error", error=str(error), hopeless=True)
        self.completions.append(completion)
        return completion


async def probe(model: Model) -> Probe:
    """Ask a model a handful of cheap questions about what its interface gives.

    Raises
    ------
    GeppettoError
        If it answers neither turns nor plain text, or stops answering on the way.
    """
    asking = _Asking(model)
    name = model.identity.name
    chat, plain = await _openings(asking)
    opening = chat if asking.kind == "chat" else plain
    if "temperature" in opening.error.lower():
        asking.coldest = 1.0
        warm = await _openings(asking)
        if not warm[asking.kind == "base"].error:
            chat, plain = warm
            opening = chat if asking.kind == "chat" else plain
    if chat.error and plain.error:
        where = model.identity.api_base or "its provider's address"
        see = f"; see that a server answers at {where} and knows the model by this name"
        raise GeppettoError(
            f"{name} answers neither turns nor plain text: {opening.error}"
            f"{'' if opening.hopeless else see}"
        )
    both = not chat.error and not plain.error
    only = evidence.only_kind(COUNTED, plain, chat) if both else None
    chats, completes = not chat.error and only != "base", not plain.error and only != "chat"
    if not (chats if asking.kind == "chat" else completes):
        other = "chat" if asking.kind == "base" else "base"
        raise GeppettoError(
            f"{name} cannot be asked as `kind: {asking.kind}`: {opening.error or _AS_THE_OTHER}; "
            f"try `kind: {other}`"
        )

    (top, top_seen), (same, same_seen) = await _log_probs(asking)
    varies, varies_seen = await _samples(asking)
    system, system_seen = await _system(asking) if chats else (False, "no turns")
    echoes, echo_seen = await _echo(asking, plain) if completes else (False, "no plain text")
    reasons, reasons_seen = await _reasons(asking, opening)
    any_temperature = asking.coldest == 0
    await _refuse_outage(asking, name)
    costs = [completion.cost for completion in asking.completions if not completion.error]
    cost = None if None in costs else sum(cost for cost in costs if cost is not None)
    chat_seen = _AS_THE_OTHER if only == "base" else _said(chat)
    plain_seen = _AS_THE_OTHER if only == "chat" else _said(plain)
    return Probe(
        identity=model.identity,
        capabilities=Capabilities(
            chat=chats,
            completion=completes,
            system_role=system,
            top_logprobs=top,
            echo=echoes,
            any_temperature=any_temperature,
            reasons=reasons,
            thinking_cut=asking.cut is not None,
            deterministic=same,
            varies=varies,
            priced=cost is not None,
        ),
        findings=(
            _finding("chat", chats, "a user turn", chat_seen),
            _finding("text completion", completes, "plain text to continue", plain_seen),
            _finding("system role", system, "a system turn with a password", system_seen),
            _finding("top logprobs", top, f"{MOST_TOP[0]} at each token", top_seen),
            _finding("echoed logprobs", echoes, "those of a known text", echo_seen),
            _finding("reasoning first", reasons, "what comes next in counting", reasons_seen),
            _finding(
                "any temperature", any_temperature, "temperature 0", _allowed(any_temperature)
            ),
            _finding("deterministic", same, "the same twice at temperature 0", same_seen),
            _finding("samples vary", varies, "a story twice at temperature 1", varies_seen),
            _finding("price known", cost is not None, "", _priced(cost)),
        ),
        requests=len(asking.completions),
        prompt_tokens=sum(completion.prompt_tokens for completion in asking.completions),
        completion_tokens=sum(completion.completion_tokens for completion in asking.completions),
        cost=cost,
    )


async def _openings(asking: _Asking) -> tuple[Completion, Completion]:
    """The first question, as a turn and as plain text to continue."""
    chat = await asking.ask(COUNTED, "chat", max_tokens=OPENING)
    plain = await asking.ask(COUNTED, "base", max_tokens=1, top_logprobs=1)
    if plain.error:
        plain = await asking.ask(COUNTED, "base", max_tokens=1)
    return chat, plain


async def _reasons(asking: _Asking, opening: Completion) -> tuple[bool, str]:
    """Whether it reasons first; what goes on and does not come to the point is asked for more."""
    if asking.cut and not evidence.reasons(asking.cut)[0]:
        return True, f"{asking.cut.completion_tokens} tokens are paid, but nothing was said"
    reasons, seen = evidence.reasons(asking.cut or opening)
    said = opening.text.casefold()
    if reasons or asking.kind == "base" or opening.finish != "length":
        return reasons, seen
    if any(word in said for word in NEXT):
        return False, seen
    longer = await asking.ask(COUNTED, max_tokens=ROOM)
    reasons, seen = evidence.reasons(longer)
    if reasons or longer.finish != "length":
        return reasons, seen
    return not any(word in longer.text.casefold() for word in NEXT), (
        f"it begins with {longer.text[:40]!r} and goes on for {ROOM:,} tokens"
    )


def probed(model: Model) -> Probe:
    """`probe`, with connections that are closed again."""

    async def connected() -> Probe:
        async with model.connected():
            return await probe(model)

    return run(connected())


async def _log_probs(asking: _Asking) -> tuple[tuple[int, str], tuple[bool, str]]:
    """How many alternatives are given, and whether a question repeats itself."""
    refused = ""
    for most in MOST_TOP:
        one = await asking.ask(DIGIT, top_logprobs=most)
        if not one.error:
            number, seen = evidence.alternatives(one, most)
            other = await asking.ask(DIGIT, top_logprobs=most, sample=1)
            return (number, refused + seen), evidence.repeats(one, other)
        refused += f"{most} are refused: {one.error}; "
    one, other = [await asking.ask(DIGIT, sample=sample) for sample in (0, 1)]
    return (0, refused.removesuffix("; ")), evidence.repeats(one, other)


async def _samples(asking: _Asking) -> tuple[bool, str]:
    one, other = [
        await asking.ask(STORY, max_tokens=16, temperature=1.0, sample=sample) for sample in (0, 1)
    ]
    return evidence.varies(one, other)


async def _system(asking: _Asking) -> tuple[bool, str]:
    short, long = [
        await asking.ask(WHICH_PASSWORD, "chat", system, max_tokens=16)
        for system in (SHORT_SYSTEM, LONG_SYSTEM)
    ]
    more = len(LONG_SYSTEM.split()) - len(SHORT_SYSTEM.split())
    return evidence.takes_system(PASSWORD, short, long, more)


async def _echo(asking: _Asking, plain: Completion) -> tuple[bool, str]:
    said = plain.tokens[0] if plain.tokens else None
    likely, unlikely = [
        await asking.ask(text, "base", max_tokens=1, echo=True)
        for text in (COUNTED + (said.text if said else ""), SHUFFLED)
    ]
    return evidence.echo(COUNTED, said, likely, SHUFFLED, unlikely)


async def _refuse_outage(asking: _Asking, name: str) -> None:
    """Tell what an interface does not give from one that has stopped answering.

    Raises
    ------
    GeppettoError
        If a question failed and now the simplest one does too.
    """
    if any(completion.error for completion in asking.completions):
        again = await asking.ask(COUNTED, max_tokens=1, sample=1)
        if again.error:
            raise GeppettoError(
                f"{name} stopped answering while it was probed ({again.error}); probe it again "
                "once it answers"
            )


def _finding(what: str, found: int, wanted: str, seen: str) -> Finding:
    word = ("yes" if found else "no") if found in (False, True) else str(found)
    return Finding(what=what, found=word, wanted=wanted, seen=seen)


def _allowed(any_temperature: bool) -> str:
    return "it is taken" if any_temperature else "only temperature 1 is"


def _said(completion: Completion) -> str:
    return completion.error or f"{completion.model or 'it'} said {completion.text[:40]!r}"


def _priced(cost: float | None) -> str:
    if cost is None:
        return "a budget in dollars needs input_cost_per_token and output_cost_per_token"
    return f"this probe cost ${cost:.6f}"
