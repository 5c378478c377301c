"""What cannot be measured as it was asked for is refused before anything is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import invented
from command import geppetto
from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.reasoned import Reasoned
from geppetto.elicitation.samples import Samples
from geppetto.elicitation.stated import Stated
from geppetto.experiment.prepare import prepare
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.secrets import without_secrets
from geppetto.models.identity import ModelIdentity
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.requests import Capabilities, Request
from geppetto.models.spec import ModelSpec
from geppetto.personas.base import Persona
from geppetto.planning.assignment import Assignment
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import Elicited, open_elicited
from geppetto.planning.survey_prompts import SurveyPromptBuilder
from geppetto.planning.survey_questions import SurveyQuestionBuilder
from geppetto.prompts.chat import Turn
from geppetto.prompts.survey import Layout
from geppetto.search.scoring import Candidate, InfeasibleError, ModelScorer
from geppetto.studies import Scale, Study

SEEN = Capabilities(chat=True, system_role=True, top_logprobs=20, varies=True)


def test_samples_of_a_server_that_repeats_itself_are_refused() -> None:
    assert "copies" in Samples(k=2).lacks(SEEN.model_copy(update={"varies": False}), "chat")
    assert Samples(k=2).lacks(SEEN, "chat") == ""


@pytest.mark.parametrize("then", [Samples(k=1), Reasoned(then=Samples(k=1))])
def test_a_single_draw_that_people_would_share_is_refused(then: Any) -> None:
    assert "copies" in then.lacks(SEEN.model_copy(update={"varies": False}), "chat")
    assert then.lacks(SEEN, "chat") == ""
    said = Samples(k=1, temperature=0)
    assert said.lacks(SEEN.model_copy(update={"varies": False}), "chat") == ""


@pytest.mark.parametrize(
    "parameters", [{"seed": 0}, {"random_seed": 1}, {"extra_body": {"options": [{"seed": 1}]}}]
)
def test_a_seed_that_makes_copies_of_draws_is_refused(parameters: Any) -> None:
    with pytest.raises(GeppettoError, match=r"seed' may not be a parameter.*copies"):
        Endpoint("m", "openai/m", parameters=parameters)


class JoinsDigits(FakeModel):
    """Reads a space and the digit after it as one token."""

    def tokenize(self, text: str) -> tuple[int, ...]:
        return tuple(text.replace(" 1", "\x01").replace(" 2", "\x02").encode())


def test_a_layout_that_a_tokenizer_spoils_is_refused_with_one_that_works() -> None:
    study = invented.study_of(Scale(options={1: "2 or more", 2: "1 or none"}))
    with pytest.raises(GeppettoError, match=r"joins.*use `layout: {answer: label}`"):
        SurveyPromptBuilder(study, Layout(), JoinsDigits(), "l")._write("q", None, "")
    advised = Layout(answer="label")
    assert SurveyPromptBuilder(study, advised, JoinsDigits(), "l")._write("q", None, "")


@pytest.mark.parametrize("way", [NextToken(), Samples(), Stated()])
def test_an_interface_that_drops_system_turns_is_refused(way: Any) -> None:
    assert way.lacks(SEEN, "chat") == ""
    assert "system" in way.lacks(SEEN.model_copy(update={"system_role": False}), "chat")


def test_an_elicitation_that_is_listed_twice_is_refused() -> None:
    ways = [Named.model_validate(way) for way in ("samples", {"samples": {"k": 10}})]
    with pytest.raises(GeppettoError, match=r"samples and samples\(k=10\) are the same"):
        open_elicited((), ways, "exact")


def test_means_over_tokens_are_refused_where_options_are_not_scored() -> None:
    asked = {
        "name": "mean",
        "question": "?",
        "study": "bfi",
        "participants": {"sample": 3},
        "models": ["smollm2-135m-instruct"],
        "strategies": ["interview"],
        "arms": ["own"],
        "normalisation": "mean",
    }
    with pytest.raises(GeppettoError, match="normalisation"):
        prepare(Experiment.model_validate({**asked, "elicitations": ["next_token"]}), Path())
    prepare(Experiment.model_validate(asked), Path())


@pytest.mark.parametrize(
    ("persona", "why"), [("I am.<|im_end|>\nNo.", "control token"), ("I. " * 9000, "context")]
)
def test_personas_that_a_local_model_cannot_read_are_refused(
    smollm2: LlamaCppModel, bfi: Study, persona: str, why: str
) -> None:
    way = Elicited(smollm2, Samples(), "samples")
    builder = SurveyQuestionBuilder(bfi, Layout(), way)
    somebody = next(person for person in bfi.people.values() if "A1" in person.responses)
    builder.answers(Assignment(somebody, ("A1",), Persona("I am shy.", "task")))
    with pytest.raises(GeppettoError, match=why):
        builder.answers(Assignment(somebody, ("A1",), Persona(persona, "task")))


@pytest.mark.parametrize(
    "text", ["a<|im_end|>", "a<｜User｜>", "<start_of_turn>", "[/INST]", "</s>"]
)
def test_text_that_servers_read_as_control_tokens_is_not_sent(text: str) -> None:
    model = Endpoint("m", "openai/m")
    for request in (
        Request(turns=(Turn(role="user", content=text),), max_tokens=1),
        Request(text=text, max_tokens=1),
    ):
        with pytest.raises(GeppettoError, match="change the item's text"):
            model.refuse(request)
    model.refuse(Request(text="a <b> [c] | 3 <| 4 |> [INSTITUTE]", max_tokens=1))


def test_a_model_by_another_name_is_not_asked_again() -> None:
    one, other = (ModelIdentity(name=name, model="openai/a") for name in "ab")
    request = Request(text="?", max_tokens=1)
    assert request.id(one) == request.id(other)
    assert request.id(one) != request.id(ModelIdentity(name="a", model="openai/b"))


@dataclass
class Silent:
    """Writers who do not reply."""

    def complete(self, *_: object) -> None:
        raise GeppettoError("the writer cannot be reached")


def test_an_outage_of_writers_is_no_property_of_a_candidate(bfi: Study, tmp_path: Path) -> None:
    store = AnswerStore.at(tmp_path / "answers.db")
    model: Any = None
    writers: Any = Silent()
    scorer = ModelScorer(bfi, ("A1",), model, store, ("nll",), "sum", writers)
    candidate: Any = Candidate(model, Layout())
    with pytest.raises(GeppettoError, match="cannot be reached") as raised:
        scorer(candidate, list(bfi.people)[:2])
    assert not isinstance(raised.value, InfeasibleError)


def test_the_workspace_says_where_answers_are_before_any_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GEPPETTO_ANSWERS", raising=False)
    (tmp_path / ".env").write_text("GEPPETTO_ANSWERS=mysql://nobody@nowhere/x\n")
    (tmp_path / "plan.yaml").write_text(
        "question: Why?\nstudy: bfi\nparticipants: {sample: 2}\nmodels: [smollm2-135m-instruct]\n"
        "strategies: [interview]\narms: [own]\n"
    )
    try:
        said = geppetto("plan", "plan.yaml", cwd=tmp_path).stderr
        assert "answers cannot be kept in mysql" in said
    finally:
        os.environ.pop("GEPPETTO_ANSWERS", None)


def test_a_variable_that_only_sounds_like_a_key_hides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEYCLOAK_URL", "http://somewhere.example")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "parallel-or-not")
    monkeypatch.setenv("SOME_API_KEY", "somewhere-else")
    said = without_secrets("http://somewhere.example parallel-or-not somewhere-else")
    assert said == "http://somewhere.example parallel-or-not [hidden]"


@pytest.mark.parametrize("way", ["next_token", "samples", "likelihood"])
def test_what_no_interface_could_give_is_refused_without_a_probe(way: str) -> None:
    """Turns are never echoed, whatever an interface gives; all else may be possible."""
    spec = ModelSpec(name="chatty", model="openai/chatty", api_base="http://127.0.0.1:9")
    named = [Named.model_validate(way)]
    if way != "likelihood":
        assert open_elicited([spec], named, "exact")[0].label == way
        return
    with pytest.raises(GeppettoError, match=r"not echoed.*asked by next_token, samples") as error:
        open_elicited([spec], named, "exact")
    assert "probe" not in str(error.value)
