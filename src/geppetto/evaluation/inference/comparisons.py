"""A comparison with its tests, before it is corrected for others."""

from __future__ import annotations

from dataclasses import dataclass

from geppetto.evaluation.bounds.bounds import Bounds
from geppetto.evaluation.effects import Effect
from geppetto.evaluation.inference.sample_size import Basis


@dataclass(frozen=True)
class Comparison:
    """A comparison with its tests.

    Attributes
    ----------
    p
        Two-sided p of no difference, by permuting whole people, and over several wordings no
        smaller than by `OverWordings.tail`. NaN of the NLL of samples, which is not tested.
    p_equivalent
        The same of a difference of at least the smallest effect of interest in either direction
        (TOST; Schuirmann 1987): small if there is none.
    test
        What was permuted for p: whose persona is whose, or the signs of people's differences.
    people_needed
        How many people tell an effect of the smallest size of interest from nothing, and nothing
        from it, with 80% probability each, if they vary and hang together as these do and the
        comparison were the only one, in these wordings. An effect in between takes more. Infinite
        if more than can be counted. None for pooled studies, of which it takes more. With these
        numbers of strangers: with more of them differences vary less, and it takes fewer people.
    people_needed_as_observed
        The same of finding an effect as large as was observed, which is likely too few: effects
        that were noticed are rather too large (Gelman & Carlin 2014). None where there is none.
    basis
        How many people, groups of people or studies the comparison rests on, and how much on one.
    bounds
        How far the effect could be from this, given what models did not say; None where that is
        not computed: of parts of people, items and wordings, of pooled studies, of gaps and of
        what optimisers gain.
    """

    effect: Effect
    p: float
    p_equivalent: float
    test: str
    people_needed: float | None
    people_needed_as_observed: float | None
    basis: Basis
    bounds: Bounds | None = None

    @property
    def p_equivalent_with_bounds(self) -> float:
        """p of a difference of at least the smallest of interest, whatever was not said."""
        return max(self.p_equivalent, self.bounds.p_equivalent if self.bounds else 0.0)
