"""A model that knows of people no more than their demographics, asked about real people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.differences import differences
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.personas.arms import Matched
from geppetto.personas.donors import matched
from geppetto.personas.library import load_strategy
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import Condition
from geppetto.studies import load_study
from workspaces import ROOT

SHOWN = ("age", "sex", "race", "degree", "partyid", "polviews")


class Oracle:
    """What a logistic regression on age, sex, race and degree predicts of the people of the GSS.

    Its predictions of a person's answers can differ from an oracle's by what the person's text
    does to a model besides: `persona`, the standard deviation of how much worse the text makes it
    for everybody, as a log temperature, and `text`, of how it moves each option of each item.
    Neither knows anything of the person, so that knowing more than demographics saves nothing.
    """

    def __init__(self) -> None:
        self.study = load_study("gss_spending")
        self.rule = load_strategy("interview", {"traits": SHOWN}, ROOT)
        told = [p for p in self.study.people.values() if set(SHOWN) <= p.traits.keys()]
        self.ids = [person.id for person in told]
        self.items = list(self.study.items)
        codes = pd.DataFrame([dict(p.responses) for p in told], columns=self.items)
        self.position = codes.apply(pd.to_numeric).fillna(0).to_numpy(int) - 1
        traits = pd.DataFrame([{name: p.traits[name] for name in SHOWN[:4]} for p in told])
        age = (traits.pop("age").to_numpy(float) - 50) / 20
        known = np.column_stack([age, age**2, pd.get_dummies(traits).to_numpy(float)])
        fitted = []
        for column in self.position.T:
            model = LogisticRegression(max_iter=500).fit(known[column >= 0], column[column >= 0])
            fitted.append(model.predict_log_proba(known))
        self.log_probs = np.stack(fitted, axis=1)
        self.complete = np.flatnonzero((self.position >= 0).all(1))
        self.known = dict.fromkeys(self.ids, frozenset(SHOWN))

    def predictions(self, persona: float, text: float, rng: np.random.Generator) -> Floats:
        """Log-probabilities of each option with each person's text: (people, items, options)."""
        logits = self.log_probs * np.exp(rng.normal(0, persona, len(self.ids)))[:, None, None]
        logits = logits + rng.normal(0, text, logits.shape)
        return logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)

    def verdict(
        self,
        sample: Sequence[int],
        drawn: Mapping[str, Sequence[str]],
        predicted: Floats,
        analysis: Analysis,
    ) -> Verdict:
        """The verdict on `individual` of these rows of people with these matched strangers."""
        ids = [self.ids[row] for row in sample]
        place, everybody = ({name: n for n, name in enumerate(of)} for of in (ids, self.ids))
        people, shape = np.arange(len(ids)), (max(map(len, drawn.values())), len(ids))
        donors, shown = np.full(shape, -1), np.full((*shape, *predicted.shape[1:]), np.nan)
        for name, strangers in drawn.items():
            for draw, stranger in enumerate(strangers):
                donors[draw, place[name]] = place.get(stranger, -1)
                shown[draw, place[name]] = predicted[everybody[stranger]]
        position = self.position[list(sample)]
        given = Responses(
            tuple(ids),
            tuple(self.items),
            (("1", "2", "3"),) * len(self.items),
            np.ones(len(self.items), bool),
            position,
            people,
            np.ones(len(ids)),
        )
        arms = []
        for arm, whose, found in (
            ("matched", donors, shown),
            ("own", people[None], predicted[list(sample)][None]),
        ):
            real = np.take_along_axis(found, position[None, :, :, None], axis=3)[..., 0]
            condition, pool = Condition("m", "s", arm), np.zeros(len(ids), int)
            arms.append(
                Predictions(given, condition, pool, whose, found, real, np.ones(real.shape))
            )
        resampling = Resampling.of(len(ids), draws=analysis.draws, seed=analysis.seed)
        (verdict,) = infer(differences(arms), resampling, analysis, {})
        return verdict

    def strangers(self, sample: Sequence[int], arm: Matched) -> dict[str, tuple[str, ...]]:
        """The matched strangers of these rows of people, from everybody."""
        like = arm.likeness(self.rule, self.study)
        ids = [self.ids[row] for row in sample]
        return matched(self.study.people, self.known, like, arm.donors, arm.seed, of=set(ids))
