"""What was asked and how, as params: what runs are filtered, grouped and compared by in MLflow."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import sqlalchemy as sql

from geppetto.models.endpoint.secrets import without_secrets
from geppetto.personas.arms import Matched
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import Elicited
from geppetto.planning.plan import BASELINE, Condition
from geppetto.planning.prepared import Prepared


def settings(experiment: Experiment) -> dict[str, Any]:
    """An experiment with all its settings, without the password of a storage.

    What the layout leaves to each scale is not among them.
    """
    told = experiment.model_dump(mode="json")
    told["layout"] = experiment.layout.model_dump(mode="json", exclude_unset=True)
    if experiment.search is not None and experiment.search.storage:
        told["search"]["storage"] = _without_password(experiment.search.storage)
    return told


def own_file(experiment: Experiment) -> bytes | None:
    """The file of an experiment as the user wrote it; None if there is none that may be logged.

    Only the password of a storage, and secrets of the environment, are something else in it.
    """
    written, search = experiment.written, experiment.search
    if written is None:
        return None
    if search is not None and search.storage:
        hidden = _without_password(search.storage)
        if search.storage.encode() not in written and hidden != search.storage:
            return None  # it is spelled in a way of YAML's own
        written = written.replace(search.storage.encode(), hidden.encode())
    text = written.decode("utf-8")
    hidden = without_secrets(text)
    return written if hidden == text else hidden.encode()


def _without_password(url: str) -> str:
    """A database's address, in which a password may stand before the host or behind a ?."""
    try:
        return sql.make_url(url).set(query={}).render_as_string(hide_password=True)
    except (sql.exc.ArgumentError, ValueError):
        return "[hidden]"


def of_plan(prepared: Prepared) -> dict[str, Any]:
    """Params of an experiment's run."""
    models = dict.fromkeys(condition.model for condition in prepared.plan.conditions)
    elicitations = [elicitation.label for elicitation in prepared.experiment.elicitations]
    return _shared(prepared) | {
        "models": ", ".join(models),
        "elicitations": ", ".join(elicitations),
        "strategies": ", ".join(strategy.label for strategy in prepared.strategies),
        "arms": ", ".join(arm.label for arm in prepared.experiment.arms),
        "cells": prepared.plan.cells,
    }


def of_condition(prepared: Prepared, condition: Condition, elicitation: str) -> dict[str, Any]:
    """Params of a condition's run, whose numbers are of answers that were read in one way.

    Parameters
    ----------
    elicitation
        Label of that way; empty of baselines, which nobody asks.
    """
    params = _shared(prepared) | condition._asdict()
    params["paraphrases"] = prepared.experiment.paraphrases
    if condition.model != BASELINE:
        elicited = {one.key: one for one in prepared.elicited}[condition.model, elicitation]
        params |= {"elicitation": elicitation}
        params |= {f"model_{key}": value for key, value in _identity(elicited).items()}
        if elicited.scorer is None:
            fields = elicited.elicitation.model_dump()
            params |= {f"elicitation_{key}": value for key, value in fields.items()}
            can = elicited.model.capabilities.model_dump()
            params |= {f"capability_{key}": value for key, value in can.items()}
    if lineage := prepared.experiment.lineages.get(condition.model):
        declared = lineage.model_dump(exclude_none=True)
        params |= {f"model_{key}": value for key, value in declared.items()}
    for strategy in prepared.strategies:
        if strategy.label == condition.strategy:
            fields = strategy.rule.model_dump()
            params |= {f"strategy_{key}": value for key, value in fields.items()}
    for arm in prepared.arms:
        if arm.name == condition.arm and condition.model != BASELINE:
            params |= {f"with_{key}": value for key, value in arm.model_dump().items()}
            if isinstance(arm, Matched):
                params["participants_matched"] = prepared.plan.matches[condition.strategy].matched
    return params


def model_params(prepared: Prepared) -> list[dict[str, Any]]:
    """Every model in each elicitation: everything about it that can change its answers."""
    told = []
    for elicited in prepared.elicited:
        name, elicitation = elicited.key
        one = {"name": name} | _identity(elicited) | {"elicitation": elicitation}
        if elicited.scorer is None:
            one |= {"elicitation_parameters": elicited.elicitation.model_dump()}
            one |= {"capabilities": elicited.model.capabilities.model_dump()}
        told.append(one)
    return told


def versions() -> dict[str, str]:
    """Versions of everything that numbers depend on and that is installed."""
    found = {"python": platform.python_version()}
    for name in (
        "geppetto",
        "dspy",
        "litellm",
        "llama-cpp-python",
        "mlflow",
        "numpy",
        "pandas",
        "scikit-learn",
        "scipy",
        "statsmodels",
        "torch",
        "transformers",
    ):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _identity(elicited: Elicited) -> dict[str, Any]:
    """Who is asked, but for its name in tables; what does not apply is left out."""
    identity = elicited.model.identity
    revision = {"revision": identity.revision} if identity.revision else {}
    if elicited.scorer is not None:
        return {key: value for key, value in identity.of_scores.items() if key != "name"} | revision
    known = {key: value for key, value in identity.of_completions.items() if value} | revision
    known["sha256" if identity.is_local else "litellm_name"] = known.pop("model")
    del known["name"]
    return known


def answered_with(prepared: Prepared) -> str:
    """What models answer with, of all scales that items have."""
    study, layout = prepared.study, prepared.experiment.layout
    scales = (study.scale(study.items[name]) for name in prepared.plan.items)
    return ", ".join(dict.fromkeys(map(layout.answer_to, scales)))


def _shared(prepared: Prepared) -> dict[str, Any]:
    """What is the same in the run of an experiment and those of its conditions."""
    experiment = prepared.experiment
    put: dict[str, Any] = {f"session_{key}": value for key, value in experiment.session}
    if not prepared.study.has_sessions:
        put = {"layout_answer": answered_with(prepared), "normalisation": experiment.normalisation}
    return put | {
        "study": prepared.study.name,
        "participants": len(prepared.plan.participants),
        "participants_seed": experiment.participants.seed,
        "precision": experiment.precision,
        "smallest_effect": experiment.analysis.smallest_effect,
        "geppetto": version("geppetto"),
    }
