"""How people who take no part in an experiment responded: norms, and which items go together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from geppetto.studies.trait import Norm

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from geppetto.studies.study import Participant, Study

FEWEST = 50
"""People who are needed to learn anything from."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Statistics of the responses of people who are not predicted; it knows nobody in person.

    Responses are shares of their item's range, the first option 0 and the last 1. Items whose
    options have no order have none, unless there are two options, nor have options outside it.

    Attributes
    ----------
    people
        How many people it was learnt from.
    shares
        Their responses by item, in the codebook's order; NaN where there is none.
    """

    people: int
    shares: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, study: Study, people: Iterable[Participant]) -> Reference | None:
        """What people of a study tell about responses in general; None of fewer than `FEWEST`."""
        people = list(people)
        if len(people) < FEWEST:
            return None
        shares = {}
        for name, item in study.items.items():
            of = {code: response_share(study, name, code) for code in study.scale(item).options}
            shares[name] = [of.get(person.responses.get(name, ""), math.nan) for person in people]
        return cls(len(people), shares)

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(self.shares)

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean response to each item, shape (items,)."""
        return self._frame.mean().to_numpy()

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """Of each two items, over people who responded to both, shape (items, items)."""
        return self._frame.cov().to_numpy()

    def norm(self, keys: Mapping[str, int]) -> Norm | None:
        """How the mean of responses to these items is distributed; None if it does not vary.

        The key of an item is -1 if its responses count the other way round, and else 1.
        """
        import numpy as np

        rows = [self.items.index(item) for item in keys]
        signs = np.array(list(keys.values()))
        means = np.where(signs > 0, self.mean[rows], 1 - self.mean[rows])
        variance = signs @ self.covariance[np.ix_(rows, rows)] @ signs / len(rows) ** 2
        if not variance > 0:
            return None
        return Norm(mean=float(means.mean()), sd=float(np.sqrt(variance)))

    def relation(self, item: str, other: str) -> float:
        """Absolute correlation of the responses to two items; 0 where there is none."""
        one, two = self.items.index(item), self.items.index(other)
        spread = self.covariance[one, one] * self.covariance[two, two]
        if not spread > 0:
            return 0.0
        return float(abs(self.covariance[one, two]) / math.sqrt(spread))

    @cached_property
    def _frame(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self.shares, dtype=float)


def response_share(study: Study, item: str, code: str | None) -> float:
    """A response as a share of its item's range; NaN without one, or outside of an order."""
    scale = study.scale(study.items[item])
    if not scale.has_order or code not in scale.ordered:
        return math.nan
    return scale.ordered.index(code) / (len(scale.ordered) - 1)
