"""A folder as the Hugging Face hub has it: a config, weights and a tokenizer; and what it is."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from geppetto._util.errors import GeppettoError
from geppetto._util.files import remembered_sha256, sha256
from geppetto.models.local.gguf import cache_dir
from geppetto.models.spec import HUB

_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
"""Files of weights; those of the first kind that is there are read."""

_READ_TOO = ("config.json", "generation_config.json", "*.index.json", "chat_template*")
_TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt")


@dataclass(frozen=True)
class Checkpoint:
    """A model's folder.

    Attributes
    ----------
    folder
        Where its files are.
    revision
        Commit of the hub that they are of; empty of a folder of one's own.
    """

    folder: Path
    revision: str = ""

    @classmethod
    def at(cls, path: Path, revision: str | None = None) -> Checkpoint:
        """The checkpoint of a folder, or of a name in the local cache of the hub.

        Nothing is downloaded.

        Parameters
        ----------
        path
            The folder; or `hf:` and the name.
        revision
            Branch, tag or commit of a name; None takes the main branch as it was downloaded.

        Raises
        ------
        GeppettoError
            If it is not there, or has no config or no weights.
        """
        name = str(path)
        if name.startswith(HUB):
            folder = _snapshot(name.removeprefix(HUB), revision)
            found, again = cls(folder, folder.name), f"; run: {_download(name, revision)}"
        else:
            found, again = cls(path), ""
        if not path.is_dir() and not found.revision:
            raise GeppettoError(f"model folder {path} does not exist")
        if found._files("adapter_config.json"):
            raise GeppettoError(
                f"{path} has an adapter, which belongs to another model; merge it into that one "
                "(peft's merge_and_unload), and name the folder of the whole"
            )
        for what, files in (
            ("config.json", found._files("config.json")),
            ("weights", found.weights),
        ):
            if not files:
                raise GeppettoError(
                    f"{path} has no {what}: transformers reads a folder with config.json, a "
                    f"tokenizer, and weights as *.safetensors{again}"
                )
        return found

    @cached_property
    def config(self) -> dict[str, Any]:
        """What config.json says."""
        file = self.folder / "config.json"
        try:
            told = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise GeppettoError(f"{file} cannot be read: {error}; fetch it again") from error
        if not isinstance(told, dict):
            raise GeppettoError(f"{file} is not the config of a model; fetch it again")
        return told

    @property
    def quantisation(self) -> str:
        """How its weights were made smaller; empty if they were not."""
        told = self.config.get("quantization_config") or {}
        return str(told.get("quant_method") or "some way") if told else ""

    @cached_property
    def weights(self) -> list[Path]:
        """Files of weights; all of those that its index names."""
        for pattern in _WEIGHTS:
            if files := self._files(pattern):
                self._refuse_incomplete()
                return files
        return []

    @cached_property
    def sha256(self) -> str:
        """Content hash of all files that an answer depends on."""
        memory = cache_dir() / "hashes"
        digests = {file.name: remembered_sha256(file, memory) for file in self.weights}
        for pattern in (*_READ_TOO, *_TOKENIZER):
            digests |= {file.name: sha256(file) for file in self._files(pattern)}
        lines = (f"{name} {digest}\n" for name, digest in sorted(digests.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @cached_property
    def parameters(self) -> int:
        """How many numbers its weights are; of a file that does not say, half of its bytes."""
        return sum(map(_parameters, self.weights))

    def _files(self, pattern: str) -> list[Path]:
        return sorted(file for file in self.folder.glob(pattern) if file.is_file())

    def _refuse_incomplete(self) -> None:
        for index in self._files("*.index.json"):
            named = set(json.loads(index.read_text("utf-8")).get("weight_map", {}).values())
            if absent := sorted(name for name in named if not (self.folder / name).is_file()):
                raise GeppettoError(
                    f"{self.folder} lacks {len(absent)} of its {len(named)} files of weights, "
                    f"{absent[0]} among them; fetch them again"
                )


def _parameters(file: Path) -> int:
    if file.suffix != ".safetensors":
        return file.stat().st_size // 2
    with file.open("rb") as opened:
        begun = opened.read(8)
        size = struct.unpack("<Q", begun)[0] if len(begun) == 8 else 0
        if not 0 < size <= file.stat().st_size - 8:
            raise GeppettoError(f"{file} is not a whole file of weights; fetch it again")
        header = json.loads(opened.read(size))
    return sum(prod(one["shape"]) for name, one in header.items() if name != "__metadata__")


def _snapshot(name: str, revision: str | None) -> Path:
    """The folder of a name in the cache of the hub."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise GeppettoError(
            "models of the Hugging Face hub need transformers, which is not installed; "
            "run: pip install 'geppetto[torch]'"
        ) from error
    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError as error:
        of = f" in revision {revision}" if revision else ""
        raise GeppettoError(
            f"{name}{of} is not in the local cache of the Hugging Face hub, and nothing is "
            f"downloaded by itself; run: {_download(name, revision)} (if its licence has to be "
            "accepted, first do so on its page of the hub, and run: hf auth login)"
        ) from error
    except HFValidationError as error:
        raise GeppettoError(
            f"{HUB}{name} is no name of the Hugging Face hub; write {HUB}OWNER/NAME, as in "
            f"{HUB}Qwen/Qwen2.5-0.5B"
        ) from error


def _download(name: str, revision: str | None) -> str:
    more = f" --revision {revision}" if revision else ""
    return f"hf download {name.removeprefix(HUB)}{more}"
