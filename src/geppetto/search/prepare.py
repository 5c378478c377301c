"""A search whose every part was found: who is searched on, and what could be chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geppetto._util.errors import GeppettoError, errors_in, unknown
from geppetto._util.named import Named
from geppetto.answers.looks import Look, LookStore
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.likelihood import Likelihood
from geppetto.experiment.persona_writers import Writers
from geppetto.experiment.strategies import open_strategy
from geppetto.models.base import Scorer
from geppetto.models.budget import BudgetTracker
from geppetto.models.spec import open_scorer
from geppetto.personas.arms import demographics
from geppetto.personas.library import shipped
from geppetto.planning.config import Experiment
from geppetto.planning.plan import Strategy
from geppetto.planning.search_config import Search
from geppetto.prompts.survey import Layout
from geppetto.search import build
from geppetto.search.scoring import Candidate, ModelScorer
from geppetto.search.space import Drawn, Space
from geppetto.search.split import Split, batches, split
from geppetto.search.storage import of_file
from geppetto.studies import Study, load_study


@dataclass(frozen=True)
class PreparedSearch:
    """A search that is ready to begin.

    Attributes
    ----------
    workspace
        Folder of its `personas/` and `mlruns/`.
    batches
        Those who are searched on, as they are scored together.
    question
        Hex digest of what is searched, whoever was chosen on before: what its look is known by.
    """

    experiment: Experiment
    settings: Search
    workspace: Path
    study: Study
    items: tuple[str, ...]
    model: Scorer
    space: Space
    split: Split
    batches: tuple[tuple[str, ...], ...]
    question: str = ""

    @cached_property
    def sha256(self) -> str:
        """Hex digest of everything that decides what is tried and what it is worth.

        How long the search may go on, and where it is kept, is not part of it.
        """
        reference = self.study.reference
        content = [
            self.study.sha256,
            self.split.search,
            self.split.test,
            reference and (reference.mean.tolist(), reference.covariance.tolist()),
            self.batches,
            self.items,
            self.model.identity.of_scores,
            repr(self.space),
            [
                (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
                for folder in (shipped(), self.workspace / "personas")
                for path in sorted(folder.glob("*.py"))  # also what strategies import
            ],
            self.experiment.layout.model_dump(),
            self.experiment.normalisation,
            self.settings.model_dump(include={"objective", "sampler", "prune", "seed"}),
            version("geppetto"),
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def look(self, question: str, candidates: int) -> Look:
        """A choice among candidates on the people who are searched on."""
        people = frozenset(self.study.prints[name] for name in self.split.search)
        return Look(question, "chosen on", ("personas",), people, self.experiment.name, candidates)

    def choose(self, look: Look) -> None:
        """Keep a choice, before anything is seen of the people it is made on.

        Raises
        ------
        GeppettoError
            If somebody was chosen on meanwhile who is to confirm, or the ledger cannot be written.
        """
        ledger = LookStore.of_workspace(self.workspace)
        ledger.keep(look)
        prints = self.study.prints
        if ledger.chosen_on(look.question, (prints[name] for name in self.split.test)):
            raise GeppettoError(
                "search: another search has just begun on people who were to confirm this one; "
                "run it again"
            )

    @property
    def name(self) -> str:
        """What Optuna's study is called."""
        return f"{self.experiment.name}-{self.sha256[:8]}"

    @property
    def storage(self) -> str:
        """Optuna's URL of the database that keeps the search."""
        return self.settings.storage or of_file(self.workspace / "mlruns" / "searches.db")

    def scorer(self, store: AnswerStore) -> ModelScorer:
        """What scores the candidates, by asking the model."""
        return ModelScorer(
            self.study,
            self.items,
            self.model,
            store,
            self.settings.objective,
            self.experiment.normalisation,
            self.writers,
        )

    @cached_property
    def writers(self) -> Writers:
        """The models that write personas."""
        return Writers(self.experiment, self.workspace, BudgetTracker(self.experiment.budget))

    def candidate(self, drawn: Drawn) -> Candidate:
        """What a trial chose.

        Raises
        ------
        GeppettoError
            If its parameters do not go together.
        """
        models = self.experiment.models
        rule = open_strategy(drawn.strategy, drawn.parameters, self.workspace, models)
        label = Named.model_validate({drawn.strategy: rule.model_dump(exclude_defaults=True)}).label
        given = self.experiment.layout.model_dump(exclude_unset=True)
        layout = Layout.model_validate(given | dict(drawn.layout))
        return Candidate(Strategy(drawn.strategy, label, rule), layout)


def prepare_search(experiment: Experiment, workspace: Path) -> PreparedSearch:  # noqa: C901  refusals
    """Find every part of a search, without reading any weights.

    Raises
    ------
    GeppettoError
        If a part does not exist or the parts do not fit together.
    """
    settings = experiment.search
    if settings is None:
        raise GeppettoError("this file has no search; run `geppetto run` with it")
    searched = [spec for spec in experiment.models if spec.model is None]
    if len(searched) > 1:
        raise GeppettoError(
            f"models: a search is for one model of this machine, and {len(searched)} are listed; "
            "keep one (those behind an interface may be there as writers)"
        )
    if not searched or [way.label for way in experiment.elicitations] != [Likelihood.name]:
        raise GeppettoError(
            "search: candidates are compared by the likelihood of every option, which only local "
            "models give exactly; keep a local model and `elicitations: [likelihood]`, and ask "
            "other models with the winner"
        )
    if experiment.paraphrases > 1:
        raise GeppettoError(
            "paraphrases: a search chooses wordings itself (`paraphrase` of its candidates); "
            "remove this key"
        )
    if experiment.analysis.weighted:
        raise GeppettoError(
            "analysis: a search counts everybody the same, so what it says of its people could not "
            "be compared with test people by survey weights; set `weighted: false`"
        )
    if not isinstance(experiment.study, str):
        raise GeppettoError("a search is made in one study; name one")
    study = load_study(experiment.study, workspace)
    if study.has_sessions:
        raise GeppettoError(
            f"search: {study.name} has sessions, and a search is made on answers to the items of a "
            "survey; compare the candidates as `strategies`, without `search`"
        )
    items = tuple(study.items) if experiment.items is None else experiment.items
    for item in items:
        if item not in study.items:
            raise unknown("item", item, study.items, f"study {study.name}")
    space = build.space(settings.strategies, settings.layout, study, workspace)
    if settings.sampler == "grid" and space.size is None:
        raise GeppettoError(
            "search: sampler: a grid needs finitely many candidates, and one of the parameters is "
            "any number of a range; give it `choices`, or take another sampler"
        )
    people = experiment.participants.draw(study)
    study = study.with_reference(people)
    prints, share, seed = study.prints, settings.test, settings.seed
    sides = split(people, demographics(study), share, seed, prints)
    found = PreparedSearch(
        experiment,
        settings,
        workspace,
        study,
        items,
        open_scorer(searched[0], experiment.precision),
        space,
        sides,
        batches(sides.search, settings.batch, seed),
    )
    found = replace(found, question=found.sha256)
    ledger = LookStore.of_workspace(workspace)
    chosen_on = ledger.chosen_on(found.question, {prints[person.id] for person in people})
    if not chosen_on & {prints[name] for name in sides.test}:
        return found
    sides = split(people, demographics(study), share, seed, prints, chosen_on)
    parts = batches(sides.search, settings.batch, seed)
    return replace(found, split=sides, batches=parts)


def search_of_file(path: Path, workspace: Path) -> PreparedSearch:
    """The search of an experiment file; see `prepare_search`."""
    experiment = Experiment.from_file(path)
    with errors_in(path):
        return prepare_search(experiment, workspace)


def named(name: str, parameters: Mapping[str, Any]) -> Named:
    """A strategy as an experiment file would name it."""
    return Named.model_validate({name: dict(parameters)})
