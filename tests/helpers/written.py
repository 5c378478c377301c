"""Every strategy of the library with every choice it offers, and what it writes."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from geppetto.personas.base import Persona, PersonaStrategy
from geppetto.personas.generated import GeneratedStrategy
from geppetto.personas.library import load_strategy, strategy_class, strategy_files
from geppetto.personas.visibility import Block, blocks, persona, view
from geppetto.studies import Participant, Study, load_study
from workspaces import ROOT

STRATEGIES = sorted(
    name
    for name in strategy_files(ROOT)
    if not issubclass(strategy_class(name, ROOT), GeneratedStrategy)
)
"""Those that write the same whenever they are asked, without a language model."""
Parameters = dict[str, Any]

TOLD = {"bfi": ("61623", "N3"), "gss_spending": ("4", "nateduc")}
"""By study, a participant of whom everything is known, and an item."""

SOME_TRAITS = {"bfi": ["age", "gender"], "gss_spending": ["race", "age", "sex"]}

OWN: dict[str, list[Parameters]] = {
    "biography": [{"voice": "second"}, {"voice": "third"}],
    "framed_interview": [{"speakers": "numbers"}],
    "interview": [
        {"question": "codebook"},
        {"question": "codebook", "paraphrase": 1},
        {"question": "codebook", "paraphrase": 2},
    ],
    "known_answers": [
        {"k": 3},
        {"k": 3, "seed": 1},
        {"k": 3, "answer": "label"},
        {"k": 3, "choose": "related"},
        {"choose": "all"},
        {"k": 3, "scores": {"shown_as": "band"}},
    ],
    "name_cue": [{"surnames": "typical"}, {"seed": 1}],
    "portrait": [{"order": "random"}, {"order": "random", "seed": 1}],
    "scores": [
        {"shown_as": "percentile"},
        {"shown_as": "band"},
        {"shown_as": "adjective"},
        {"answers": {"choose": "related", "k": 3, "answer": "label"}},
    ],
}
"""What only this strategy can be told, beside its defaults."""

CONTENTS: list[Parameters] = [
    *({"scores": {"shown_as": words}} for words in ("number", "percentile", "band", "adjective")),
    *(
        {"answers": {**chosen, "answer": answer}}
        for chosen in ({"k": 3}, {"choose": "related", "k": 3}, {"choose": "all"})
        for answer in ("number", "label")
    ),
    {"traits": [], "scores": {"shown_as": "band"}, "answers": {"choose": "related", "k": 2}},
]
"""What every format can say."""


def cases(name: str, study: str) -> list[Parameters]:
    """Parameters that differ from the defaults, such that every choice is in one of them."""
    strategy = strategy_class(name, ROOT)
    fields = strategy.model_fields
    elsewhere = next(
        place
        for place in get_args(fields["placement"].annotation)
        if place != fields["placement"].default
    )
    found: list[Parameters] = [{"paraphrase": n} for n in range(1, len(strategy.paraphrases))]
    found += [{"placement": elsewhere}, {"traits": SOME_TRAITS[study]}]
    found += OWN.get(name, [])
    if name not in ("known_answers", "name_cue", "scores"):
        found += CONTENTS
    return found


@cache
def study_of(name: str) -> Study:
    """A study with norms of everybody but the person who is told of."""
    study = load_study(name)
    return study.with_reference([study.participant(TOLD[name][0])])


def written(
    strategy: PersonaStrategy, person: Participant, study: Study, item: str
) -> tuple[Persona | None, Block]:
    """The persona for one item of one person, and its block."""
    block = next(b for b in blocks(strategy, study, list(study.items)) if item in b.predicted)
    return persona(strategy, view(strategy, person, study, block), study, block), block


def told(name: str, parameters: Parameters, study: str) -> Persona | None:
    """The persona that a strategy writes of the person who is told of."""
    participant, item = TOLD[study]
    whole = study_of(study)
    strategy = load_strategy(name, parameters, ROOT)
    return written(strategy, whole.participant(participant), whole, item)[0]
