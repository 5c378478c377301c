"""The `session:` part of an experiment file, and responses that were not expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from geppetto._util.errors import GeppettoError
from geppetto._util.yaml_file import read_yaml
from geppetto.evaluation.metrics import flagged
from geppetto.prompts.session_layout import SessionLayout
from sessions import TEMPLATES


def test_one_value_may_stand_without_a_list(tmp_path: Path) -> None:
    path = tmp_path / "session.yaml"
    path.write_text("presentation: text\nhistory: 5\nlong: windows\nresponses: 100\n", "utf-8")
    layout = read_yaml(path, SessionLayout)
    assert layout == SessionLayout(
        presentation=("text",), history=(5,), long="windows", responses=100
    )
    path.write_text("presentation: [text, turns]\nhistory: [0, 1, 5, 20, all]\n", "utf-8")
    layout = read_yaml(path, SessionLayout)
    assert layout.presentation == ("text", "turns")
    assert layout.history == (0, 1, 5, 20, "all")


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"presentation": "chat"}, "presentation"),
        ({"presentation": []}, "presentation"),
        ({"presentation": ["text", "text"]}, "'text' is listed twice"),
        ({"history": []}, "history"),
        ({"history": -1}, "history"),
        ({"history": True}, "history"),
        ({"history": "none"}, "history"),
        ({"history": [0, "all", 0]}, "0 is listed twice"),
        ({"responses": 0}, "responses"),
        ({"long": "drop"}, "long"),
        ({"overlap": 0.5}, "overlap"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object], where: str) -> None:
    with pytest.raises(ValidationError, match=where):
        SessionLayout.model_validate(settings)


def test_each_model_reads_what_it_is_made_for_unless_the_file_says_otherwise() -> None:
    chat = TEMPLATES["Qwen3"]
    assert SessionLayout().presentations("qwen", chat) == {"turns": chat}
    assert SessionLayout().presentations("base", None) == {"text": None}
    both = SessionLayout(presentation=("text", "turns"))
    assert both.presentations("qwen", chat) == {"text": None, "turns": chat}
    assert SessionLayout(presentation=("text",)).presentations("qwen", chat) == {"text": None}
    with pytest.raises(GeppettoError, match="base is a base model and has no chat template"):
        both.presentations("base", None)


def test_a_response_that_cost_less_than_an_unlikely_announcement_is_flagged() -> None:
    announcing = np.log([0.9, 0.4, 0.4, 0.01, 0.9])
    responses = np.log([0.95, 0.5, 0.3, 0.005, 0.2])
    assert flagged(announcing, responses).tolist() == [False, True, False, False, False]
