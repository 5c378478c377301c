"""Folders and names of the Hugging Face hub: how they are written, found and refused."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from pydantic import ValidationError

from geppetto._util.errors import GeppettoError
from geppetto._util.files import remembered_sha256, sha256
from geppetto.models.local.transformers.checkpoint import Checkpoint
from geppetto.models.spec import ModelSpec, engine_of, open_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEADER = b'{"a":{"dtype":"BF16","shape":[3,4],"data_offsets":[0,24]},"__metadata__":{}}'


def folder(at: Path, weights: bytes = b"") -> Path:
    at.mkdir(parents=True)
    (at / "config.json").write_text('{"model_type": "llama"}')
    written = weights or len(HEADER).to_bytes(8, "little") + HEADER + bytes(24)
    (at / "model.safetensors").write_bytes(written)
    return at


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local cache of the hub in which one model is."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("GEPPETTO_CACHE", str(tmp_path / "cache"))
    repository = tmp_path / "hub" / "models--Qwen--Qwen2.5-0.5B"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    folder(repository / "snapshots" / COMMIT)
    return tmp_path / "hub"


def spec(told: object) -> ModelSpec:
    return ModelSpec.model_validate(told)


def test_a_name_of_the_hub_is_found_in_its_cache_with_its_revision(hub: Path) -> None:
    written = spec("hf:Qwen/Qwen2.5-0.5B")
    assert (written.name, engine_of(written)) == ("Qwen2.5-0.5B", "transformers")
    assert written.path is not None
    found = Checkpoint.at(written.path)
    assert (found.revision, found.parameters) == (COMMIT, 12)
    assert Checkpoint.at(written.path, COMMIT).sha256 == found.sha256
    assert spec({"path": "hf:Qwen/Qwen2.5-0.5B", "revision": COMMIT}).revision == COMMIT


@pytest.mark.parametrize(
    ("name", "revision", "said"),
    [
        ("Qwen/Qwen2.5-7B", None, "run: hf download Qwen/Qwen2.5-7B (if its licence"),
        ("Qwen/Qwen2.5-0.5B", "v2", "in revision v2 is not in the local cache"),
        ("a/b/c", None, "write hf:OWNER/NAME"),
    ],
)
def test_a_name_that_is_not_there_says_how_to_get_it(
    hub: Path, name: str, revision: str | None, said: str
) -> None:
    with pytest.raises(GeppettoError) as error:
        Checkpoint.at(Path(f"hf:{name}"), revision)
    assert said in str(error.value)


def test_a_download_that_was_broken_off_says_how_to_end_it(hub: Path) -> None:
    weights = next(hub.rglob("model.safetensors"))
    weights.unlink()
    with pytest.raises(GeppettoError, match=r"has no weights.*run: hf download Qwen"):
        Checkpoint.at(Path("hf:Qwen/Qwen2.5-0.5B"))
    (weights.parent / "model.safetensors.index.json").write_text(
        '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
    )
    (weights.parent / "model-1.safetensors").write_bytes(b"")
    with pytest.raises(GeppettoError, match=r"lacks 1 of its 2 files of weights, model-2"):
        Checkpoint.at(Path("hf:Qwen/Qwen2.5-0.5B"))


def test_a_folder_is_what_it_is(tmp_path: Path) -> None:
    at = folder(tmp_path / "Qwen2.5-7B")
    for told in (str(at), {"path": str(at)}, {"path": str(at), "engine": "transformers"}):
        assert (spec(told).name, engine_of(spec(told))) == ("Qwen2.5-7B", "transformers")
    with pytest.raises(GeppettoError, match=r"llama\.cpp reads a GGUF file|remove `engine: llama"):
        engine_of(spec({"path": str(at), "engine": "llama.cpp"}))
    file = {"path": str(tmp_path / "x.gguf"), "engine": "transformers"}
    with pytest.raises(GeppettoError, match=r"transformers reads a folder with config\.json"):
        engine_of(spec(file))


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    at = folder(tmp_path / "tuned")
    (at / "adapter_config.json").write_text("{}")
    with pytest.raises(GeppettoError, match="has an adapter, which belongs to another model"):
        open_model(spec(str(at)))


def test_fields_of_files_are_of_no_other_models() -> None:
    for told in (
        {"name": "openai/x", "engine": "transformers"},
        {"path": "/models/x", "revision": "main"},
    ):
        with pytest.raises(ValidationError, match=r"remove it|it is of names of the hub"):
            spec(told)


def test_what_is_hashed_of_a_model_is_as_it_was() -> None:
    dumped = spec({"path": "a.gguf"}).model_dump(mode="json")
    assert "engine" not in dumped and "revision" not in dumped


def test_a_bare_name_of_the_hub_says_how_to_write_it() -> None:
    pytest.importorskip("litellm")
    with pytest.raises(GeppettoError, match=r"write hf:Qwen/Qwen2.5-0.5B if it is a model of the"):
        open_model(spec("Qwen/Qwen2.5-0.5B"))


def test_what_is_not_installed_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("geppetto.models.local.transformers.model.version", version)
    with pytest.raises(GeppettoError, match=r"not installed; run: pip install 'geppetto\[torch\]'"):
        open_model(spec(str(folder(tmp_path / "model"))))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    for number, weights in enumerate((b"abc", bytes([255] * 16))):
        found = Checkpoint.at(folder(tmp_path / str(number), weights))
        with pytest.raises(GeppettoError, match="not a whole file of weights"):
            assert found.parameters


def test_a_remembered_hash_is_of_what_is_there(tmp_path: Path) -> None:
    file, memory = tmp_path / "file", tmp_path / "memory"
    for content in (b"one", b"other"):
        file.write_bytes(content)
        for _ in range(2):
            assert remembered_sha256(file, memory) == sha256(file)
    assert len(list(memory.iterdir())) == 2
