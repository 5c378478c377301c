"""Sessions read by real models: in one pass, and in memory that does not grow."""

from __future__ import annotations

import pytest

from geppetto.elicitation.transcript_likelihood import units
from geppetto.models.local import decoder
from geppetto.models.local.decoder import Decoder
from geppetto.models.local.gguf import PACKAGED, dequantised
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.token_tree import TokenTree
from memory import STATM, memory
from transcripts import bandit, plain, requests, scores


@pytest.mark.parametrize("keys", [("J", "K"), ("the left machine", "the right one")])
def test_one_pass_in_batches_equals_a_prompt_an_option(
    keys: tuple[str, ...], base_models: dict[str, LlamaCppModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = base_models["smollm2-135m-instruct"]
    weights = dequantised(PACKAGED[model.identity.name](), model.identity.sha256, "f32")
    small = Decoder(weights, cells=512, exact=True, threads=2)
    small._rows = 3
    monkeypatch.setattr(decoder, "_BATCH", 64)
    transcript = plain(bandit(14, keys), keys)
    (unit,) = units(requests(transcript, model=model), model)
    tree = unit.tree
    nodes = small.log_probs(tree)
    line = unit.lines[0].tokens.tolist()
    for options, place in list(zip(tree.options[::2], unit.places, strict=True))[::6]:
        for spelled, path in zip(place.options, options, strict=True):
            alone = TokenTree.build([(tuple(line[: place.start]), [spelled])])
            expected = small.log_probs(alone)[list(alone.options[0][0])].sum()
            assert nodes[list(path)].sum() == pytest.approx(expected, abs=2e-4)
    small.close()


@pytest.mark.skipif(not STATM.exists(), reason="needs Linux's /proc")
def test_memory_does_not_grow_with_the_number_of_sessions(
    base_models: dict[str, LlamaCppModel],
) -> None:
    model = base_models["smollm2-135m-instruct"]
    used = []
    for person in range(30):
        scores(plain(bandit(4, seed=person), ("J", "K")), model)
        used.append(memory())
    assert max(used[10:]) - used[9] < 10
