"""Real local models: the tree gives what single prompts give, and files are what they say."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geppetto._util.errors import GeppettoError
from geppetto._util.files import sha256
from geppetto.answers.local import score
from geppetto.elicitation.option_likelihood import units
from geppetto.models.local import decoder
from geppetto.models.local.gelu import ExactGelu
from geppetto.models.local.gguf import PACKAGED, dequantised
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.spec import ModelSpec, open_model
from geppetto.models.token_tree import TokenTree
from geppetto.personas.base import Persona
from geppetto.prompts.survey import Layout, Prompt, render
from geppetto.studies import Study

BATCH_NOISE = 1e-4
"""Nats by which a prompt's score may depend on what it is decoded together with."""


@pytest.fixture(params=["smollm2", "gemma"])
def model(request: pytest.FixtureRequest) -> LlamaCppModel:
    return request.getfixturevalue(request.param)


def prompts(study: Study, model: LlamaCppModel, answer: str = "number") -> dict[str, Prompt]:
    personas = [Persona("I am a calm person."), Persona("I worry about everything.", "system")]
    layout = Layout(answer=answer)
    items = list(study.items.values())[::6]
    return {
        f"{n}/{item.name}": render(study, item, persona, layout, model.template)
        for n, persona in enumerate(personas)
        for item in items
    }


@pytest.mark.parametrize("answer", ["number", "label"])
def test_a_tree_scores_as_single_prompts_do(model: LlamaCppModel, answer: str, bfi: Study) -> None:
    asked = prompts(bfi, model, answer)
    together = {k: v for unit in units(asked, model) for k, v in score([unit], model).items()}
    for request_id in (list(asked)[1], list(asked)[-1]):
        prompt = asked[request_id]
        text = model.tokenize(prompt.text)
        found = zip(prompt.options, together[request_id].log_probs, strict=True)
        for (_, option), total in list(found)[::2]:
            tokens = model.tokenize(prompt.text + option)[len(text) :]
            alone = TokenTree.build([(text, [tokens])])
            log_probs = model.score([alone])[0][list(alone.options[0][0])]
            assert total == pytest.approx(log_probs.sum(), abs=BATCH_NOISE)
            assert len(tokens) == 1 if answer == "number" else len(tokens) > 1


def test_options_hold_part_of_the_probability(model: LlamaCppModel, bfi: Study) -> None:
    for unit in units(prompts(bfi, model), model):
        for scores in score([unit], model).values():
            assert 0.2 < np.exp(scores.log_probs).sum() < 1


def test_scores_do_not_depend_on_what_was_scored_before(model: LlamaCppModel, bfi: Study) -> None:
    """To the last bit, or an interrupted experiment would not end as an uninterrupted one."""
    first, second = units(prompts(bfi, model), model)
    before = score([second], model)
    score([first], model)
    other_head = TokenTree.build([(model.tokenize("Something else"), [(5,)])], head=1)
    model.score([other_head])
    assert score([second], model) == before


def test_a_tree_larger_than_the_first_context_gets_a_larger_one(
    smollm2: LlamaCppModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.models.local.llama_cpp._FIRST_CELLS", 256)
    fresh = LlamaCppModel("fresh", PACKAGED["smollm2-135m-instruct"]())
    for words in (10, 400):
        text = fresh.tokenize("word " * words)
        tree = TokenTree.build([(text, [fresh.tokenize("1")])])
        assert fresh.score([tree])[0][-1] == pytest.approx(
            smollm2.score([tree])[0][-1], abs=BATCH_NOISE
        )


def test_ctrl_c_waits_for_the_decode_and_spoils_nothing(
    model: LlamaCppModel, bfi: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt inside llama.cpp's callback would leave a half-computed answer."""
    first, second = units(prompts(bfi, model), model)
    before = score([second], model)
    score([first], model)
    decode = decoder.llama.llama_decode
    for delay in (0.0, 0.01, 0.05):

        def interrupted(*arguments: Any, delay: float = delay) -> int:
            alarm = threading.Timer(delay, os.kill, [os.getpid(), signal.SIGINT])
            alarm.start()
            code = int(decode(*arguments))
            alarm.join()
            return code

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(decoder.llama, "llama_decode", interrupted)
            score([second], model)
    assert score([second], model) == before


def test_tokens_begin_as_the_model_was_trained(
    smollm2: LlamaCppModel, gemma: LlamaCppModel
) -> None:
    assert gemma.tokenize("a")[0] == 2
    assert 2 not in gemma.tokenize("a")[1:]
    assert len(smollm2.tokenize("a")) == 1


def test_what_a_file_says_of_itself_is_believed(
    smollm2: LlamaCppModel, gemma: LlamaCppModel
) -> None:
    assert (smollm2.identity.kind, smollm2.context) == ("chat", 8192)
    assert (gemma.identity.kind, gemma.context, gemma.template) == ("base", 32768, None)


def test_any_gguf_file_is_a_model_and_its_kind_can_be_declared(smollm2: LlamaCppModel) -> None:
    path = PACKAGED["smollm2-135m-instruct"]()
    found = open_model(ModelSpec.model_validate(str(path)))
    assert found.identity.name == path.stem
    assert found.identity.sha256 == smollm2.identity.sha256
    plain = open_model(ModelSpec.model_validate({"path": path, "kind": "base"}))
    assert plain.scorer and plain.scorer.template is None and plain.identity.kind == "base"


def test_a_base_file_cannot_be_declared_chat() -> None:
    spec = ModelSpec(name="g", path=PACKAGED["gemma-3-270m"](), kind="chat")
    with pytest.raises(GeppettoError, match="carries no chat template; declare it `kind: base`"):
        open_model(spec)


def test_exact_mode_refuses_a_gelu_that_it_cannot_make_exact(
    gemma: LlamaCppModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the engine named its tensors differently, so that they are not found."""
    monkeypatch.setattr(ExactGelu, "_prefix", b"ffn_other")
    other = LlamaCppModel("gemma", PACKAGED["gemma-3-270m"]())
    with pytest.raises(GeppettoError, match=r"GEGLU in half precision.*`precision: fast`"):
        other.score([TokenTree.build([(other.tokenize("a"), [(5,)])])])


def test_files_that_are_no_models_are_named(tmp_path: Path) -> None:
    with pytest.raises(GeppettoError, match=r"nothing\.gguf does not exist"):
        open_model(ModelSpec.model_validate(str(tmp_path / "nothing.gguf")))
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(GeppettoError, match=r"text\.gguf is not a GGUF model"):
        open_model(ModelSpec.model_validate(str(tmp_path / "text.gguf")))
    with pytest.raises(GeppettoError, match="unknown model 'gema-3-270m'; did you mean"):
        open_model(ModelSpec.model_validate("gema-3-270m"))


def test_weights_are_dequantised_once_under_the_name_of_their_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEPPETTO_CACHE", str(tmp_path))
    source = PACKAGED["smollm2-135m-instruct"]()
    digest = sha256(source)
    first = dequantised(source, digest, "bf16")
    written = first.stat().st_mtime_ns
    assert first.name == f"{digest[:16]}-bf16.gguf"
    assert dequantised(source, digest, "bf16").stat().st_mtime_ns == written
    assert [path.name for path in tmp_path.glob("[!.]*")] == [first.name]
    with pytest.raises(GeppettoError, match="could not convert"):
        (tmp_path / "text.gguf").write_text("hello")
        dequantised(tmp_path / "text.gguf", "0" * 64, "f32")
    assert not list(tmp_path.glob("*.partial"))
