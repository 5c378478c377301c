"""What learners found of people, kept in the workspace: a run that changes nothing learns nothing.

A file is named by the content of all that it depends on: the numbers that were learned from, how
one learns, and the libraries that do it. So it is never out of date, and may be deleted any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geppetto._util.files import kept_whole, sha256
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.baselines import learners, low_rank, rows

_LIBRARIES = ("numpy", "scipy", "scikit-learn")


def learned_in(workspace: Path) -> rows.Keep:
    """Where the supervised baselines of a workspace are kept, in its `mlruns/learned`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import numpy as np
    >>> keep = learned_in(Path(mkdtemp()))
    >>> keep([np.ones(3)], lambda: np.array([0.5])), keep([np.ones(3)], lambda: np.array([0.0]))
    (array([0.5]), array([0.5]))
    """
    return partial(_kept, workspace / "mlruns" / "learned")


def _kept(folder: Path, inputs: Sequence[NDArray[Any]], compute: Callable[[], Floats]) -> Floats:
    file = folder / f"{_digest(inputs)}.npy"
    try:
        whole = kept_whole(file, lambda path: _save(path, compute()))
    except OSError:  # a workspace that is only read
        return compute()
    return np.asarray(np.load(whole, allow_pickle=False))


def _save(path: Path, values: Floats) -> None:
    with path.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def _digest(inputs: Sequence[NDArray[Any]]) -> str:
    """A hex digest of arrays: of their types, their shapes and what is in them."""
    digest = hashlib.sha256(_how_one_learns().encode())
    for array in inputs:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@cache
def _how_one_learns() -> str:
    """The code of the learners and the versions of the libraries."""
    code = [sha256(Path(str(module.__file__))) for module in (learners, low_rank, rows)]
    return "\n".join([*code, *(f"{name}=={version(name)}" for name in _LIBRARIES)])
