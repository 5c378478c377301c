"""Real Psych-201 experiments, which are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workspaces import ROOT

FOLDER = Path(os.environ.get("GEPPETTO_PSYCH201", ROOT.parent / "shared" / "data" / "psych201"))


def psych201(name: str) -> Path:
    """The archive of an experiment; without it, the test that asks is skipped."""
    path = FOLDER / f"{name}.zip"
    if not path.exists():
        pytest.skip(f"{path.name} of Psych-201 is not here (see GEPPETTO_PSYCH201)")
    return path
