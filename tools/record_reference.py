"""Record the log-probabilities that an independent float32 computation gives the local models.

Writes tests/fixtures/reference_log_probs.json, which tests/integration/test_reference.py holds
geppetto to. Needs torch, transformers and gguf besides geppetto and its local models. The
reference reads the float32 copy of a model's weights with transformers and is fed geppetto's token
ids; where transformers' own tokenizer splits a text into other ones, that is printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geppetto.models.local.gguf import PACKAGED, dequantised
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.token_tree import Tokens
from geppetto.prompts.chat import Turn

FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "reference_log_probs.json"

WORDS = (
    "Very inaccurate",
    "Moderately inaccurate",
    "Slightly inaccurate",
    "Slightly accurate",
    "Moderately accurate",
    "Very accurate",
)
INSTRUCTION = (
    "Below is an interview with a person, then a statement. Indicate how accurately the "
    "statement describes the person who was interviewed.\n\n"
)
SCALE = "\n".join(f"{number} = {word}" for number, word in enumerate(WORDS, start=1))
BY_NUMBER = f"{INSTRUCTION}Answer with one number:\n{SCALE}"
BY_WORDS = f"{INSTRUCTION}Answer with one of: {', '.join(WORDS)}."

ITEMS = (
    "Am indifferent to the feelings of others.",
    "Make people feel at ease.",
    "Do things in a half-way manner.",
    "Get angry easily.",
    "Am full of ideas.",
)

ANSWERS = (
    ("Female", "Graduate degree", "34", "I read case files until late and never miss a deadline."),
    ("Male", "In high school", "16", "Skating with my friends, mostly. Homework can wait."),
    ("Female", "Finished high school", "58", "I look after my grandchildren and a loud parrot."),
    ("Male", "College graduate", "41", "Spreadsheets by day; at night I restore old radios."),
    ("Female", "Some college", "22", "Double shifts at the café, then rehearsal with the band."),
    ("Male", "Finished high school", "67", "Not much. I fish alone and I like it that way."),
    ("Female", "College graduate", "29", "I coach a swim team, and yes, I shout a lot."),
    ("Male", "Graduate degree", "50", "Teaching, arguing with editors, walking the dog."),
    ("Female", "In high school", "17", "Debate club. I worry about everything beforehand."),
    ("Male", "Some college", "37", "I drive a truck across three states, podcasts all the way."),
)
QUESTIONS = (
    "What is your gender?",
    "What is the highest level of education you have completed?",
    "How old are you (years)?",
    "What do you spend your days on?",
)
PERSONAS = tuple(
    "\n".join(
        f"Interviewer: {question}\nPerson: {answer}"
        for question, answer in zip(QUESTIONS, answers, strict=True)
    )
    for answers in ANSWERS
)


def prompts(model: LlamaCppModel) -> dict[str, list[tuple[str, list[str]]]]:
    """Texts and options by group: one-token options, options of several tokens, and prompts
    that are longer than the 512 tokens of Gemma's sliding window."""
    numbers = list("123456")
    words = [f" {word}" for word in WORDS]
    everyone = "\n\n".join(PERSONAS)
    return {
        "numbers": [
            (_prompt(model, BY_NUMBER, persona, item, "Answer: "), numbers)
            for persona in PERSONAS
            for item in ITEMS
        ],
        "words": [
            (_prompt(model, BY_WORDS, persona, ITEMS[i % len(ITEMS)], "Answer:"), words)
            for i, persona in enumerate(PERSONAS)
        ],
        "long": [
            (_prompt(model, BY_NUMBER, everyone, item, "Answer: "), numbers) for item in ITEMS[:2]
        ],
    }


def _prompt(model: LlamaCppModel, instruction: str, persona: str, item: str, cue: str) -> str:
    question = f"{persona}\n\nStatement: {item}"
    if model.template is None:
        return f"{instruction}\n\n{question}\n{cue}"
    system, user = Turn(role="system", content=instruction), Turn(role="user", content=question)
    return model.template.render([system, user]) + cue


def reference_log_probs(
    weights: Path, continuations: Sequence[tuple[Tokens, Sequence[Tokens]]]
) -> list[list[float]]:
    """Log-probability of each option after its prompt, by transformers in float32.

    Every prompt and option is a forward pass of its own: no batch, no cache, no shared prefix.
    """
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        weights.parent,
        gguf_file=weights.name,
        dtype=torch.float32,
        attn_implementation="eager",
        local_files_only=True,
    ).eval()

    def log_prob(prompt: Tokens, option: Tokens) -> float:
        tokens = torch.tensor([[*prompt, *option]])
        with torch.inference_mode():
            logits = model(tokens, use_cache=False, logits_to_keep=len(option) + 1).logits[0, :-1]
        log_probs = torch.log_softmax(logits.double(), dim=-1)
        return float(log_probs[range(len(option)), option].sum())

    return [[log_prob(prompt, option) for option in options] for prompt, options in continuations]


def record(name: str) -> dict[str, Any]:
    """One model's part of the fixture."""
    path = PACKAGED[name]()
    model = LlamaCppModel(name, path)
    sha256 = model.identity.sha256
    weights = dequantised(path, sha256, "f32")
    groups: dict[str, list[dict[str, Any]]] = {
        group: [
            {
                "text": text,
                "tokens": model.tokenize(text),
                "options": options,
                "option_tokens": [
                    model.tokenize(text + option)[len(model.tokenize(text)) :] for option in options
                ],
            }
            for text, options in texts
        ]
        for group, texts in prompts(model).items()
    }
    entries = [entry for group in groups.values() for entry in group]
    for difference in _tokenizer_differences(weights, entries):
        print(f"{name}: {difference}")
    expected = reference_log_probs(
        weights, [(entry["tokens"], entry["option_tokens"]) for entry in entries]
    )
    for entry, log_probs in zip(entries, expected, strict=True):
        entry["log_probs"] = [round(log_prob, 6) for log_prob in log_probs]
    return {"sha256": sha256, "groups": groups}


def _tokenizer_differences(weights: Path, entries: Sequence[dict[str, Any]]) -> Iterator[str]:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            weights.parent, gguf_file=weights.name, local_files_only=True
        )
    except Exception as error:
        yield f"transformers cannot read the tokenizer ({error})"
        return
    ours = {entry["text"]: entry["tokens"] for entry in entries}
    for entry in entries:
        ours |= dict(zip(entry["options"], entry["option_tokens"], strict=True))
    for text, tokens in ours.items():
        theirs = tokenizer.encode(text, add_special_tokens=False)
        if list(tokens) not in (theirs, [tokenizer.bos_token_id, *theirs]):
            yield f"transformers splits {text[-60:]!r} into {len(theirs)} tokens, not {len(tokens)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=FIXTURE, help="default: the fixture itself")
    output: Path = parser.parse_args().output
    reference = {
        "torch": version("torch"),
        "transformers": version("transformers"),
        "models": {name: record(name) for name in PACKAGED},
    }
    text = json.dumps(reference, ensure_ascii=False, separators=(",", ":"))
    output.write_text(text + "\n", encoding="utf-8")
    print(f"{output}: {len(text):,} characters")


if __name__ == "__main__":
    main()
