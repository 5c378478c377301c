"""What people did."""

from geppetto.studies.bundled import bundled_studies, data_card, load_study
from geppetto.studies.study import (
    Codebook,
    Exclusion,
    Item,
    Participant,
    Scale,
    Source,
    Study,
    Trait,
)

__all__ = [
    "Codebook",
    "Exclusion",
    "Item",
    "Participant",
    "Scale",
    "Source",
    "Study",
    "Trait",
    "bundled_studies",
    "data_card",
    "load_study",
]
