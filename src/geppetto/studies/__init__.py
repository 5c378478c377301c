"""What people did: data sets of real people, read and checked before anything is asked.

The central noun is a `Study`: a `Codebook` (what was asked, and how the data are to be read) and
the people, each a `Participant` with traits and with responses to items or, in `sessions`, all that
they did in order. Bundled studies are read by name, one's own from a codebook file; data with an
error are refused. On their way data go through `table_file` (cells as text), `table` (a row a
person), `check` and `leaks` (all that is wrong, at once), and `build`.
"""

from geppetto.studies.bundled import bundled_studies, data_card
from geppetto.studies.codebook import Codebook, Exclusion, Item, Scale, Source, Waves
from geppetto.studies.loading import load_study
from geppetto.studies.problems import Problem
from geppetto.studies.sessions.session import Session, Span
from geppetto.studies.study import Participant, Study
from geppetto.studies.trait import Norm, Trait

__all__ = [
    "Codebook",
    "Exclusion",
    "Item",
    "Norm",
    "Participant",
    "Problem",
    "Scale",
    "Session",
    "Source",
    "Span",
    "Study",
    "Trait",
    "Waves",
    "bundled_studies",
    "data_card",
    "load_study",
]
