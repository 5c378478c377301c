"""Where it is kept: MLflow.

A `TrackedRun` is the run of one plan in the store of a workspace (`store`). `mlflow_runs` logs its
plan before anything is asked, and its results with a child run for each condition; `params` and
`completions` are the parameters and numbers of both, and `traces` what was sent and said, whole.
"""

import os

from geppetto._util.lazy import lazily

__all__ = ["TrackedRun", "local_uri"]

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

__getattr__ = lazily(__name__, {"TrackedRun": "store", "local_uri": "store"})
