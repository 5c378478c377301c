"""Which tokens each token attends to: one mask a kind of layer, with windows by position."""

from __future__ import annotations

from typing import Any

import torch

from geppetto._util.errors import GeppettoError
from geppetto.models.local.transformers.forest import Forest

_FULL, _SLIDING = "full_attention", "sliding_attention"
_OTHER_WINDOWS = ("attention_chunk_size", "attention_types", "attention_window_size")
"""Settings of attention that goes by other rules than masks can say here."""


class Masks:
    """The masks of a model's layers.

    Parameters
    ----------
    config
        Of the model that reads text.
    name
        What the model is called in errors.
    dtype, device
        Kind of its numbers, and where they are.
    """

    def __init__(self, config: Any, name: str, dtype: torch.dtype, device: torch.device) -> None:
        self._config, self._dtype, self._device = config, dtype, device
        kinds = dict.fromkeys(getattr(config, "layer_types", None) or [])
        unknown = sorted(set(kinds) - {_FULL, _SLIDING})
        unknown += [key for key in _OTHER_WINDOWS if getattr(config, key, None)]
        if unknown:
            raise GeppettoError(
                f"{name} has layers of a kind that cannot branch ({', '.join(unknown)}); "
                "use a model with attention only, or a server"
            )
        self._kinds = list(kinds) or [_SLIDING]

    def __call__(
        self, forest: Forest, part: slice, head: int
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """What is added to the attention of a stretch of nodes: 0, or the lowest number.

        Parameters
        ----------
        forest
            The nodes.
        part
            Stretch of them; what stands before it is attended to, too.
        head
            How many tokens stand before all of them.
        """
        device = self._device
        nodes = slice(part.stop)
        enter = torch.from_numpy(forest.enter[nodes]).to(device)
        until = torch.from_numpy(forest.until[nodes]).to(device)
        places = torch.from_numpy(forest.positions[nodes]).to(device)
        number = enter[part, None]
        on_path = (enter <= number) & (number < until)
        everyone = torch.ones(len(number), head, dtype=torch.bool, device=device)
        seen = torch.cat([everyone, on_path], dim=1)
        behind = torch.cat([torch.arange(head, device=device), places])
        distance = places[part, None] - behind
        masks = {}
        for kind in self._kinds:
            window = self.window if kind == _SLIDING else None
            allowed = seen if window is None else seen & (distance < window)
            mask = torch.zeros(allowed.shape, dtype=self._dtype, device=device)
            mask.masked_fill_(~allowed, torch.finfo(self._dtype).min)
            masks[kind] = mask[None, None]
        return masks if len(masks) > 1 else masks[self._kinds[0]]

    @property
    def window(self) -> int | None:
        """How many tokens a layer with a window attends to, itself among them; None if to all."""
        window: int | None = getattr(self._config, "sliding_window", None)
        return window if getattr(self._config, "use_sliding_window", True) else None
