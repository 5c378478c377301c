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
from geppetto.studies.study import Participant, Study
from geppetto.studies.survey_file import Checked, check_study, load_study

__all__ = [
    "Checked",
    "Codebook",
    "Exclusion",
    "Item",
    "Norm",
    "Participant",
    "Problem",
    "Scale",
    "Source",
    "Study",
    "Trait",
    "Waves",
    "bundled_studies",
    "check",
    "check_study",
    "data_card",
    "load_study",
]
