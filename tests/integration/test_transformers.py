"""The transformers engine: what shares tokens is scored as each text alone, in any architecture."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.models.identity import Precision
from geppetto.models.requests import Request
from geppetto.models.spec import ModelSpec, open_scorer
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import Turn

torch = pytest.importorskip("torch", reason="needs: pip install 'geppetto[torch]'")
pytest.importorskip("transformers", reason="needs: pip install 'geppetto[torch]'")

from geppetto.models.local.transformers import loading  # noqa: E402  after what skips
from geppetto.models.local.transformers.masks import Masks  # noqa: E402  after what skips
from geppetto.models.local.transformers.model import TransformersModel  # noqa: E402  after what skips
from tiny_models import ARCHITECTURES, CHATML, tiny, tokenizer  # noqa: E402  after what skips

NOISE = 1e-4
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with a tiny model of an architecture, made once."""
    at = tmp_path_factory.mktemp("tiny")

    def make(architecture: str) -> Path:
        folder = at / architecture
        return folder if folder.is_dir() else tokenizer(tiny(folder, architecture))

    return make


@pytest.fixture
def llama(made: Callable[[str], Path], tmp_path: Path) -> Path:
    """A folder of one's own with a tiny model."""
    return Path(shutil.copytree(made("llama"), tmp_path / "Llama-3.5-tiny"))


def opened(folder: Path, precision: Precision = "exact", **more: Any) -> TransformersModel:
    model = open_scorer(ModelSpec.model_validate({"path": str(folder), **more}), precision)
    assert isinstance(model, TransformersModel)
    return model


def some(count: int) -> Tokens:
    return tuple(RNG.integers(5, 260, count).tolist())


def forest() -> list[TokenTree]:
    """Trees longer than the windows: two with one head, one without, one with places in a line."""
    head, line = some(20), some(40)
    surveys = [
        TokenTree.build(
            [(head + persona + some(4), [some(1), some(3), some(2)]) for _ in range(3)], head=20
        )
        for persona in (some(9), some(15))
    ]
    places = [(at, [line[at : at + 2], some(2), some(1)]) for at in (5, 17, 30)]
    return [*surveys, TokenTree.along([(line, places)])]


def one_by_one(network: Any, tree: TokenTree) -> NDArray[np.float64]:
    """Brute force: the path of every scored node as a text of its own."""
    found = np.full(len(tree.tokens), np.nan)
    for node in np.flatnonzero(tree.scored()):
        path, at = [], int(node)
        while at >= 0:
            path.insert(0, int(tree.tokens[at]))
            at = int(tree.parents[at])
        with torch.inference_mode():
            logits = network(input_ids=torch.tensor([path]), use_cache=False).logits[0, -2]
        found[node] = torch.log_softmax(logits.double(), dim=-1)[path[-1]]
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_trees_are_scored_as_their_paths(architecture: str, made: Callable[[str], Path]) -> None:
    model, trees = opened(made(architecture)), forest()
    expected = [one_by_one(model._forward._network, tree) for tree in trees]
    assert np.nanstd(np.concatenate(expected)) > 0.5, "what is read must make a difference"
    for at_once in (512, 7):
        model._forward.at_once = at_once
        for one, other in zip(model.score(trees), expected, strict=True):
            np.testing.assert_allclose(one, other, atol=NOISE)


def test_scores_do_not_depend_on_what_was_scored_before(made: Callable[[str], Path]) -> None:
    """To the last bit, or an interrupted experiment would not end as an uninterrupted one."""
    model = opened(made("gemma2"))
    first, second, third = forest()
    before = model.score([second])[0]
    model.score([first]), model.score([third])
    np.testing.assert_array_equal(model.score([second])[0], before)


@pytest.mark.parametrize("architecture", ["gemma2", "mistral", "qwen2"])
def test_a_wrong_mask_is_refused_with_what_was_seen(
    architecture: str, made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Masks, "window", None)
    model = opened(made(architecture))
    with pytest.raises(
        GeppettoError, match=r"by [\d.]+ nats on average and up to [\d.]+, where 0.0001"
    ):
        model.score(forest())


def test_what_does_not_fit_into_memory_is_halved_and_not_lost(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, trees = opened(made("qwen3")), forest()
    expected = model.score(trees)
    most, real = 9, type(model._forward._network).forward

    def small(self: Any, input_ids: Any, **more: Any) -> Any:
        if input_ids.shape[1] > most:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")
        return real(self, input_ids, **more)

    model._forward.forget()
    monkeypatch.setattr(type(model._forward._network), "forward", small)
    for one, other in zip(model.score(trees), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=NOISE)
    assert model._forward.at_once == 8
    most = 0
    with pytest.raises(GeppettoError, match="no memory left for a text of this length"):
        model.score(trees)


def test_other_failures_are_not_taken_for_want_of_memory(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(made("olmo2"))
    expected = model.score(forest()[2:])
    with monkeypatch.context() as patch:
        patch.setattr(type(model._forward), "_logits", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model.score(forest()[:1])
    model.score(forest())
    assert len(expected) == 1


@pytest.mark.parametrize(
    ("architecture", "said"),
    [
        ("mamba", "mamba.*keeps a state that cannot branch"),
        ("bloom", "reads no masks and positions"),
        ("lfm2", r"layers of a kind that cannot branch \(conv\)"),
        ("gpt_neo", r"cannot branch \(attention_types\)"),
    ],
)
def test_what_cannot_branch_is_refused(architecture: str, said: str, tmp_path: Path) -> None:
    more: dict[str, dict[str, Any]] = {
        "mamba": {"state_size": 4},
        "lfm2": {"layer_types": ["conv", "full_attention", "conv"]},
        "gpt_neo": {"attention_types": [[["global", "local", "local"], 1]]},
    }
    model = opened(tokenizer(tiny(tmp_path, architecture, **more.get(architecture, {}))))
    with pytest.raises(GeppettoError, match=said):
        model.score(forest())


def test_fast_is_near_exact_and_both_say_who_they_are(made: Callable[[str], Path]) -> None:
    exact, fast = opened(made("llama")), opened(made("llama"), "fast")
    trees = forest()
    differences = [
        np.nanmax(np.abs(one - other))
        for one, other in zip(exact.score(trees), fast.score(trees), strict=True)
    ]
    assert NOISE < max(differences) < 0.5
    assert (exact.identity.weights, fast.identity.weights) == ("f32", "bf16")
    assert exact.identity.sha256 == fast.identity.sha256
    assert exact.identity.is_exact and not fast.identity.is_exact
    assert re.fullmatch(r"transformers [\d.]+, torch [\d.]+", exact.identity.engine)
    assert exact.identity.of_scores["device"] == loading.device()
    assert "revision" not in exact.identity.of_scores


def test_a_reply_is_the_one_of_transformers(llama: Path) -> None:
    model = opened(llama)
    prompt = model.tokenize("Who are you?")
    (said,) = model._forward._network.generate(
        torch.tensor([prompt]), max_new_tokens=12, do_sample=False, eos_token_id=[1]
    )[:, len(prompt) :].tolist()
    request = Request(text="Who are you?", temperature=0, max_tokens=12, top_logprobs=2)
    found = model._completion(request)
    assert found.text == model.detokenize(said).decode(errors="replace")
    again = model.score([TokenTree.build([(prompt, [tuple(said)])])])[0][len(prompt) :]
    np.testing.assert_allclose([token.log_prob for token in found.tokens], again, atol=NOISE)


def test_a_chat_model_has_its_template_and_no_token_twice(llama: Path) -> None:
    tokenizer(llama, "{{ bos_token }}" + CHATML, bos=True)
    model = opened(llama)
    assert model.identity.kind == "chat" and model.template is not None
    text = model.template.render([Turn(role="user", content="A?")])
    assert text.startswith("<s><|im_start|>user")
    assert model.tokenize(text).count(0) == 1, "the first token once"
    assert model.tokenize("A")[0] == 0 and 0 not in model.tokenize_on("A")
    assert model.has_control_tokens("a<|im_end|>") and not model.has_control_tokens("a <im_end>")
    assert model.is_end(4) and model.is_end(1), "a turn ends, and a text"
    base = opened(llama, kind="base")
    assert base.template is None and len(base.tokenize("<|im_end|>")) > 5


def test_tokens_spell_what_was_read(made: Callable[[str], Path]) -> None:
    model = opened(made("llama"))
    for text in ("Grüße,\n\tan 'alle'  ", "日本", "\x00\x7f"):
        assert model.detokenize(model.tokenize_on(text)) == text.encode()
    assert model.detokenize(model.tokenize_on("é")[:1]) == "é".encode()[:1]


def change(folder: Path, file: str, **fields: Any) -> Path:
    told = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps(told | fields))
    return folder


def refused(folder: Path, **more: Any) -> str:
    with pytest.raises(GeppettoError) as error:
        opened(folder, **more).score(forest())
    assert str(error.value).count("\n") == 0
    return str(error.value)


def test_what_cannot_be_read_is_refused_in_a_sentence(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "declared `kind: chat`, but Llama-3.5-tiny carries no chat" in refused(
        llama, kind="chat"
    )
    change(llama, "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    assert "Llama-3.5-tiny is quantised (gptq)" in refused(llama)
    change(llama, "config.json", quantization_config=None, max_position_embeddings=0)
    assert "does not say how long its context is" in refused(llama)
    change(llama, "config.json", max_position_embeddings=512)
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_free", lambda _: 2**20 // 10)
        assert "needs 0.0 GiB of memory on" in refused(llama)
    change(llama, "config.json", num_hidden_layers=4)
    assert "of the model's weights" in (said := refused(llama)) and "random" in said
    (llama / "tokenizer.json").write_text("{}")
    assert "the tokenizer cannot be read" in refused(llama)
    (llama / "model.safetensors").unlink()
    assert "has no weights" in refused(llama)
    (llama / "config.json").unlink()
    assert "has no config.json" in refused(llama)


def test_positions_that_stretch_with_length_bound_the_context(llama: Path) -> None:
    rope = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 1e4}
    change(llama, "config.json", rope_parameters=rope | {"original_max_position_embeddings": 128})
    assert opened(llama).context == 128


def test_who_it_is_follows_its_files(llama: Path) -> None:
    before = opened(llama).identity
    (llama / "README.md").write_text("Nothing that is read.")
    assert opened(llama).identity == before and before.name == "Llama-3.5-tiny"
    tokenizer(llama, CHATML)
    assert opened(llama).identity.sha256 != before.sha256
