"""Models of the hub in small: random weights of real architectures, and tokenizers of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TINY = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 300,
    "max_position_embeddings": 512,
    "initializer_range": 0.4,  # so that what is attended to makes a difference
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
_MIXED = ["sliding_attention", "full_attention", "sliding_attention"]
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {"use_sliding_window": True, "sliding_window": 9, "layer_types": _MIXED},
    "qwen3": {"head_dim": 8},
    "gemma2": {"head_dim": 8, "sliding_window": 7, "layer_types": _MIXED},
    "gemma3_text": {"head_dim": 8, "sliding_window": 5, "layer_types": _MIXED},
    "mistral": {"sliding_window": 6},
    "cohere": {"logit_scale": 0.25},
    "granite": {"logits_scaling": 3.0},
    "olmo2": {},
    "gpt_neox": {},
    "gpt2": {},
}
"""What each has beside or instead of the above; four have windows shorter than any prompt."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny(folder: Path, architecture: str, seed: int = 1, **changes: Any) -> Path:
    """A folder with a model of an architecture, its tokenizer among its files."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    settings = TINY | ARCHITECTURES.get(architecture, {}) | changes
    config = AutoConfig.for_model(architecture, **settings)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def tokenizer(folder: Path, template: str | None = None, bos: bool = False) -> Path:
    """A tokenizer of bytes, and of the tokens that a chat is written with."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*special, *letters])}
    backend = Tokenizer(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True) for token in special])
    if bos:
        backend.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 0)]
        )
    whole = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    whole.chat_template = template
    whole.save_pretrained(folder)
    return folder


def folder_of(name: str) -> Path:
    """A packaged model as a folder of the hub, converted once and then kept in the cache."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from geppetto._util.files import sha256
    from geppetto.models.local.gguf import PACKAGED, cache_dir, dequantised

    source = PACKAGED[name]()
    digest = sha256(source)
    folder = cache_dir() / f"{digest[:16]}-hub"
    if not (folder / "tokenizer_config.json").exists():
        weights = dequantised(source, digest, "f32")
        of_file = {"pretrained_model_name_or_path": weights.parent, "gguf_file": weights.name}
        read = AutoModelForCausalLM.from_pretrained(**of_file, dtype=torch.float32)
        del read.config.quantization_config  # what is read from a GGUF file cannot be written
        plain = type(read)(read.config)
        plain.load_state_dict(read.state_dict())
        plain.save_pretrained(folder)
        AutoTokenizer.from_pretrained(**of_file).save_pretrained(folder)
    return folder
