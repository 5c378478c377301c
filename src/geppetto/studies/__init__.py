"""What people did."""

from geppetto.studies.bundled import bundled_studies, data_card
from geppetto.studies.check import check
from geppetto.studies.codebook import (
    Codebook,
    Exclusion,
    Item,
    Norm,
    Scale,
    Source,
    Trait,
    Waves,
)
from geppetto.studies.problems import Problem
from geppetto.studies.session import Session, Span
from geppetto.studies.session_study import CheckedSessions
from geppetto.studies.study import Participant, Study
from geppetto.studies.survey_file import Checked, check_study, load_study

__all__ = [
    "Checked",
    "CheckedSessions",
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
    "check",
    "check_study",
    "data_card",
    "load_study",
]
