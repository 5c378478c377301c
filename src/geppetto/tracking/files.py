"""Files of a run in MLflow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from mlflow import MlflowClient

from geppetto.planning.config import Experiment
from geppetto.tracking import params

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def experiment(client: MlflowClient, run_id: str, asked: Experiment) -> None:
    """Log an experiment: its file as it was written, which runs again, and all its settings."""
    if (written := params.own_file(asked)) is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "experiment.yaml"
            path.write_bytes(written)
            client.log_artifact(run_id, str(path))
    client.log_dict(run_id, params.settings(asked), "settings.yaml")


def csv(client: MlflowClient, run_id: str, table: Callable[[], pd.DataFrame], name: str) -> None:
    """Log a table as text, where it can be made."""
    client.log_text(run_id, table().to_csv(index=False), name)


def parquet(client: MlflowClient, run_id: str, table: pd.DataFrame, name: str) -> None:
    """Log a table with its types."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        table.to_parquet(path, index=False)
        client.log_artifact(run_id, str(path))


def figure(client: MlflowClient, run_id: str, draw: Callable[[], Figure | None], name: str) -> None:
    """Log a figure, if there is something to draw."""
    import matplotlib.pyplot as plt

    drawn = draw()
    if drawn is not None:
        client.log_figure(run_id, drawn, name)
        plt.close(drawn)
