"""What a probe finds of interfaces that give, refuse, ignore or garble what they are asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from command import geppetto
from fault_server import Script, served
from geppetto._util.errors import GeppettoError
from geppetto.answers.probes import ProbeStore, probe_of
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.samples import Samples
from geppetto.models.budget import Budget, BudgetTracker
from geppetto.models.endpoint.probe import PASSWORD, Probe, probed
from geppetto.models.endpoint.probe_evidence import alternatives, varies
from geppetto.models.identity import Kind, ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request, Token
from geppetto.models.spec import open_model
from geppetto.planning.config import Experiment
from geppetto.reports import models as shown
from replying import Replying

DECLARED = """
question: What does it give?
study: bfi
models:
  - name: mine
    model: hosted_vllm/scripted
    api_base: {base}
    parameters:
      top_p: 1
      extra_body: {{project: personas}}
      input_cost_per_token: 0.001
      output_cost_per_token: 0.002
      rpm: 6000
strategies: [interview]
arms: [none, own]
"""
CUT = (0.5, 0.2, 0.15, 0.1, 0.05)
"""Probabilities of all that a server keeps."""

COUNT = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@dataclass
class Scripted(Replying):
    """An interface over a model that counts, with everything that can be wrong about it.

    It reads words as tokens: one that goes on counting has -0.1 nats, another -5.
    """

    kind: Kind = "chat"
    chat: str = "given"
    plain: str = "given"
    echo: str = "given"
    top: str = "given"
    most_top: int = 20
    system: str = "obeyed"
    thinks: str = ""
    only_warm: bool = False
    starts: str = ""
    drifts: float = 0.0
    varies: bool = True
    opens: str = ""
    cost: float | None = 0.001
    answers_until: int = 1000
    asked: int = 0

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(name="scripted", model="openai/scripted", kind=self.kind)

    async def completion(self, request: Request) -> Completion:
        self.asked += 1
        await asyncio.sleep(0)
        if self.asked > self.answers_until:
            return Completion(finish="error", error="503, after 8 attempts")
        self._refuse(request)
        if request.echo and self.echo == "refused":
            return Completion(finish="error", error="500: logits_all is off")
        if self.starts and request.turns and not request.top_logprobs:
            text = self.starts if request.max_tokens < 1000 else f"{self.starts} {self.chat}"
            return Completion(text=text, finish="length", completion_tokens=9, cost=0.0)
        read = request.text or "\n".join(turn.content for turn in request.turns)
        framed = (request.turns and self.chat != "as plain") or self.plain == "as chat"
        tokens = len(read.split()) + 4 * bool(framed)
        if self.system == "dropped" and len(request.turns) > 1:
            tokens = 7
        completion = Completion(
            model="scripted", prompt_tokens=tokens, completion_tokens=1, cost=self.cost
        )
        if request.echo:
            return completion.model_copy(update={"tokens": self._echoed(request.text)})
        if self.thinks and request.max_tokens < 100:
            hidden = {"finish": "length", "reasoning_tokens": 64 if self.thinks == "told" else 0}
            text = "<think>\nWell" if self.thinks == "in the text" else ""
            return completion.model_copy(update={**hidden, "text": text})
        return completion.model_copy(update=self._said(request, read))

    def _refuse(self, request: Request) -> None:
        if request.turns and self.chat == "refused":
            raise GeppettoError("404: no chat template")
        if request.text and self.plain == "refused":
            raise GeppettoError("404: this is a chat model")
        if request.top_logprobs and (self.top == "refused" or request.top_logprobs > self.most_top):
            raise GeppettoError("400: top_logprobs is not supported")
        if self.only_warm and request.temperature != 1:
            raise GeppettoError("400: temperature does not support 0.0 with this model")

    def _said(self, request: Request, read: str) -> dict[str, object]:
        text = "4"
        if request.temperature:
            text = f"story {request.sample if self.varies else 0}"
        elif "password" in read:
            text = PASSWORD.lower() if self.system == "obeyed" and PASSWORD in read else "secret"
        elif read.endswith("seven"):
            text = " eight" if request.text else "eight"
        if not request.top_logprobs or self.top == "ignored":
            return {"text": text}
        if self.top == "cut":
            kept = tuple((str(n), float(np.log(p))) for n, p in zip("45321", CUT, strict=True))
            return {"text": text, "tokens": (Token(text=text, log_prob=kept[0][1], top=kept),)}
        first = "<|channel|>" if self.top == "elsewhere" else text
        log_prob = {"sharpened": 0.0, "all 0": 0.0, "not probabilities": 3.0}.get(self.top, -0.1)
        log_prob -= self.drifts * request.sample
        rest = {"sharpened": -9999.0, "all 0": 0.0}.get(self.top, -6.0)
        others = [(str(n), rest) for n in range(10, 9 + request.top_logprobs)]
        if self.top == "not given":  # beyond a cut
            others[2:] = [(other, -9999.0) for other, _ in others[2:]]
        if self.top == "twice":
            log_prob = -1.0
            others = [(first, log_prob), *others[1:]]
        return {
            "text": text,
            "tokens": (Token(text=first, log_prob=log_prob, top=((first, log_prob), *others)),),
        }

    def _echoed(self, text: str) -> tuple[Token, ...]:
        words = text.split(" ")
        spelled = [words[0], *(f" {word}" for word in words[1:])]
        goes_on = [pair in pairwise(COUNT) for pair in pairwise(words)]
        log_probs: list[float | None] = [
            None,
            *((-0.1 if on else -5.0) - n / 1000 for n, on in enumerate(goes_on)),
        ]
        match self.echo:
            case "ignored":
                return ()
            case "of what was said":
                return (Token(text=" nine", log_prob=-0.1),)
            case "constant":
                log_probs = [None, *([-1.0] * len(goes_on))]
            case "one place off":
                log_probs = [None, *log_probs[2:], -5.0]
            case "with gaps":
                log_probs[3] = None
            case "of a mind of its own":
                log_probs = [None, *([-3.0] * (len(goes_on) - 1)), -0.1]
        if self.opens:
            spelled, log_probs = [self.opens, *spelled], [None, -9.0, *log_probs[1:]]
        return tuple(Token(text=t, log_prob=p) for t, p in zip(spelled, log_probs, strict=True))


def seen(found: Probe, what: str) -> tuple[str, str]:
    (finding,) = [each for each in found.findings if each.what == what]
    return finding.found, finding.seen


def test_an_interface_that_gives_everything_is_seen_to() -> None:
    text_model = Scripted()
    found = probed(text_model)
    assert found.capabilities == Capabilities(
        chat=True,
        completion=True,
        system_role=True,
        top_logprobs=20,
        echo=True,
        reasons=False,
        deterministic=True,
        varies=True,
        priced=True,
    )
    assert found.requests == text_model.asked == 10
    assert found.cost == pytest.approx(0.010)
    assert found.completion_tokens == 10 and found.prompt_tokens > 8
    assert seen(found, "top logprobs")[1].startswith("20 at '4', the first token of '4'")
    assert "-0.1060 echoed" in seen(found, "echoed logprobs")[1]


@pytest.mark.parametrize(
    ("echo", "said"),
    [
        ("ignored", "the flag is ignored"),
        ("of what was said", "of ' nine', not of what was sent"),
        ("constant", "every token has the log-probability -1.0"),
        ("one place off", "of another place in the text"),
        ("with gaps", "not every token has"),
        ("of a mind of its own", "less than 0.5"),
        ("refused", "500: logits_all is off"),
    ],
)
def test_an_echo_that_is_not_of_the_text_is_found_out(echo: str, said: str) -> None:
    found = probed(Scripted(echo=echo))
    assert not found.capabilities.echo
    answer, evidence = seen(found, "echoed logprobs")
    assert answer == "no" and said in evidence
    assert found.capabilities.completion and found.capabilities.top_logprobs == 20


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ("refused", "20 are refused: 400"),
        ("ignored", "left out without an error"),
        ("elsewhere", "they are of '<|channel|>', but what was said is '4'"),
        ("sharpened", "after the temperature of 0"),
        ("not probabilities", "3 is no log-probability"),
        ("not given", "-9999 is no log-probability"),
        ("twice", "'4' is there twice"),
        ("all 0", "sum to 20"),
        ("cut", "5 of 20 came at '4', with a probability of 1.0000 together"),
    ],
)
def test_log_probabilities_that_cannot_be_read_as_answers_count_as_none(
    top: str, said: str
) -> None:
    found = probed(Scripted(top=top))
    assert found.capabilities.top_logprobs == 0
    answer, evidence = seen(found, "top logprobs")
    assert answer == "no" and said in evidence
    assert found.capabilities.deterministic


def test_fewer_alternatives_than_asked_for_are_used_if_they_leave_something_to_the_others() -> None:
    top = tuple((str(n), float(np.log(0.9 * p))) for n, p in zip("45321", CUT, strict=True))
    few = Completion(text="4", tokens=(Token(text="4", log_prob=top[0][1], top=top),))
    assert alternatives(few, 20)[0] == 5


def test_an_interface_that_gives_five_alternatives_is_asked_for_five() -> None:
    found = probed(Scripted(most_top=5))
    assert found.capabilities.top_logprobs == 5
    assert "20 are refused" in seen(found, "top logprobs")[1]


def test_a_token_that_only_opens_texts_may_stand_before_an_echo() -> None:
    assert probed(Scripted(opens="<s>")).capabilities.echo


def test_samples_that_are_all_the_same_are_found_out() -> None:
    found = probed(Scripted(varies=False))
    assert not found.capabilities.varies
    assert "'story 0' twice" in seen(found, "samples vary")[1]


def test_an_echo_cannot_be_verified_where_nothing_said_has_log_probabilities() -> None:
    found = probed(Scripted(top="refused"))
    assert not found.capabilities.echo and found.capabilities.completion
    assert "cannot be verified" in seen(found, "echoed logprobs")[1]


def test_plain_text_that_is_sent_as_a_turn_is_not_text_completion() -> None:
    found = probed(Scripted(plain="as chat"))
    assert not found.capabilities.completion and not found.capabilities.echo
    assert "one is sent as the other" in seen(found, "text completion")[1]
    with pytest.raises(GeppettoError, match=r"cannot be asked as `kind: base`.*try `kind: chat`"):
        probed(Scripted(plain="as chat", kind="base"))


def test_a_turn_that_is_sent_as_plain_text_is_not_chat() -> None:
    found = probed(Scripted(chat="as plain", kind="base"))
    assert found.capabilities.completion and found.capabilities.echo
    assert not found.capabilities.chat and not found.capabilities.system_role
    with pytest.raises(GeppettoError, match=r"cannot be asked as `kind: chat`.*try `kind: base`"):
        probed(Scripted(chat="as plain"))


@pytest.mark.parametrize(
    ("system", "takes", "said"),
    [("obeyed", "yes", "wombat"), ("ignored", "yes", "not obeyed"), ("dropped", "no", "dropped")],
)
def test_a_system_turn_that_is_read_is_told_from_one_that_is_dropped(
    system: str, takes: str, said: str
) -> None:
    answer, evidence = seen(probed(Scripted(system=system)), "system role")
    assert answer == takes and said in evidence


@pytest.mark.parametrize(
    ("thinks", "said"),
    [("told", "64 tokens"), ("untold", "nothing was said"), ("in the text", "begins with")],
)
def test_reasoning_before_the_answer_is_seen_however_it_is_shown(thinks: str, said: str) -> None:
    found = probed(Scripted(thinks=thinks))
    assert found.capabilities.reasons and found.capabilities.thinking_cut
    assert said in seen(found, "reasoning first")[1]


def test_log_probabilities_that_drift_are_not_deterministic() -> None:
    found = probed(Scripted(drifts=0.01))
    assert not found.capabilities.deterministic
    assert "differ by 0.01 nats" in seen(found, "deterministic")[1]
    assert probed(Scripted(drifts=1e-6)).capabilities.deterministic


def test_a_price_that_is_not_known_is_said() -> None:
    found = probed(Scripted(cost=None))
    assert found.cost is None and not found.capabilities.priced
    assert "input_cost_per_token" in seen(found, "price known")[1]


def test_a_text_model_is_asked_in_plain_text() -> None:
    found = probed(Scripted(kind="base", chat="refused"))
    assert found.capabilities.completion and found.capabilities.top_logprobs == 20
    assert not found.capabilities.chat and not found.capabilities.system_role
    assert seen(found, "chat") == ("no", "404: no chat template")
    with pytest.raises(GeppettoError, match="try `kind: base`"):
        probed(Scripted(kind="chat", chat="refused"))


def test_an_interface_that_answers_nothing_is_an_error_and_no_finding() -> None:
    with pytest.raises(GeppettoError, match="answers neither turns nor plain text: 404: no chat"):
        probed(Scripted(chat="refused", plain="refused"))


@pytest.mark.parametrize("answers_until", range(1, 10))
def test_an_interface_that_stops_answering_is_not_said_to_give_less(answers_until: int) -> None:
    with pytest.raises(GeppettoError, match=r"503"):
        probed(Scripted(answers_until=answers_until))


def test_a_probe_is_kept_with_the_answers_and_asked_once(store_url: str) -> None:
    store, text_model = ProbeStore(store_url), Scripted()
    assert store.get(text_model.identity) is None
    tracker = BudgetTracker(Budget(tokens=1))
    first = probe_of(text_model, store, tracker)
    again = Scripted()
    assert probe_of(again, ProbeStore(store_url), tracker) == first and again.asked == 0
    assert tracker.tokens == first.prompt_tokens + first.completion_tokens > 0
    assert tracker.dollars == first.cost
    renamed = text_model.identity.model_copy(update={"name": "another name"})
    elsewhere = text_model.identity.model_copy(update={"api_base": "http://127.0.0.1:1/v1"})
    assert store.get(renamed) == first and store.get(elsewhere) is None
    changed = probed(Scripted(echo="ignored"))
    store.put(changed)
    assert store.get(text_model.identity) == changed


def test_a_store_that_an_older_geppetto_made_has_no_probes_yet(tmp_path: Path) -> None:
    AnswerStore.at(tmp_path / "answers.db").put("model", {})
    store = ProbeStore(f"sqlite:///{tmp_path / 'answers.db'}")
    assert store.get(Scripted().identity) is None


def test_a_probe_is_shown_with_what_was_seen_and_what_it_took() -> None:
    console = Console(width=400)
    with console.capture() as captured:
        console.print(shown.probe(probed(Scripted(echo="one place off"))))
    text = captured.get()
    assert "asked as `kind: chat`" in text and "of another place in the text" in text
    assert "10 requests" in text and "$0.010000" in text


def test_a_model_is_probed_as_an_experiment_declares_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    script = Script()
    with served(script) as base:
        file.write_text(DECLARED.format(base=base))
        done = geppetto("models", "probe", "mine", "--experiment", "mine.yaml", cwd=tmp_path)
        twice = geppetto(
            "models", "probe", "mine", "--experiment", "mine.yaml", "--kind", "base", cwd=tmp_path
        )
        other = geppetto("models", "probe", "yours", "--experiment", "mine.yaml", cwd=tmp_path)
        (spec,) = Experiment.from_file(file).models
        kept = ProbeStore.of_workspace(tmp_path).get(open_model(spec).identity)
    assert done.returncode == 0, done.stderr
    assert "price not known" not in done.stdout
    assert script.last["top_p"] == 1
    assert script.last["project"] == "personas"
    assert kept is not None
    assert kept.cost
    assert (twice.returncode, other.returncode) == (2, 2)
    assert "leave out the other options" in twice.stderr
    assert "mine" in other.stderr


def test_a_model_that_allows_temperature_1_only_is_probed_with_it() -> None:
    found = probed(Scripted(only_warm=True))
    can = found.capabilities
    assert can.chat and can.system_role and can.varies and can.top_logprobs == 20
    assert not can.any_temperature
    assert seen(found, "any temperature") == ("no", "only temperature 1 is")
    assert Samples().lacks(can, "chat") == ""
    assert "temperature 1 only" in NextToken().lacks(can, "chat")
    assert probed(Scripted()).capabilities.any_temperature


@pytest.mark.parametrize(
    ("starts", "goes_on", "reasons"),
    [
        ("Okay, let me think of seven", "and of what may follow it", True),
        ("Okay, they are counting to seven.", "</think> eight", True),
        ("You count!", "Then comes eight, and so on", False),
        ("Then comes eight, and so on", "", False),
    ],
)
def test_what_goes_on_without_coming_to_the_point_is_reasoning(
    starts: str, goes_on: str, reasons: bool
) -> None:
    found = probed(Scripted(starts=starts, chat=goes_on))
    assert found.capabilities.reasons == reasons and not found.capabilities.thinking_cut


def test_two_empty_replies_that_were_cut_are_no_copies() -> None:
    empty = Completion(finish="length", reasoning="Well", completion_tokens=16)
    assert varies(empty, empty) == (
        False,
        "nothing was said: the limit ended it while it was thinking",
    )
    found = probed(Scripted(thinks="told"))
    assert found.capabilities.varies, "it is asked again with room to think"
    assert "more `thinking_tokens`" in Samples().lacks(found.capabilities, "chat")
