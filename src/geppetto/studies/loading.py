"""Studies by name."""

from __future__ import annotations

from pathlib import Path

from geppetto.studies.bundled import bundled_studies, bundled_study
from geppetto.studies.study import Study


def load_study(name: str, folder: Path = Path()) -> Study:
    """A study with its participants: a bundled one, that of a codebook file, or sessions.

    Parameters
    ----------
    name
        A name; the path of a YAML or JSON file; or sessions as `read_sessions` takes them.
    folder
        Where such a path begins.

    Raises
    ------
    GeppettoError
        If there is no such study, or its data have errors.

    Examples
    --------
    >>> load_study("bfi").codebook.title
    '25 personality items of the Big Five (IPIP), SAPA project'
    """
    if name in bundled_studies():
        return bundled_study(name)
    from geppetto.studies.survey_file import read_study

    return read_study(name, folder)
