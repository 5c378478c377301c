"""What makes whole runs quicker where their figures are not what is tested."""

from __future__ import annotations

import pytest

from workspaces import without_figures


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs log all that they find, and draw none of it."""
    without_figures(monkeypatch)
