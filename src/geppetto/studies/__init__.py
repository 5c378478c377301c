"""What people did."""

from geppetto.studies.bundled import bundled_studies, data_card
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
from geppetto.studies.loading import load_study
from geppetto.studies.problems import Problem
from geppetto.studies.sessions.session import Session, Span
from geppetto.studies.study import Participant, Study

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
