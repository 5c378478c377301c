"""What models said where little or nothing of it could be read, as they said it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

LITTLE = 0.5
"""Share of replies that are answers, below which some of the others are shown."""

_SHOWN = 3
_LONGEST = 160


def unread(completions: pd.DataFrame) -> list[str]:
    """Some raw replies of each model and elicitation of which less than half were answers.

    What was scored on this machine was never said, so nothing is shown of it.

    Parameters
    ----------
    completions
        What models replied, see `geppetto.answers.completions_table`.
    """
    if completions.empty:
        return []
    return [
        line
        for (model, elicitation), rows in completions.groupby(["model", "elicitation"], sort=False)
        for line in _of_one(f"{model} · {elicitation}", rows)
    ]


def _of_one(name: str, rows: pd.DataFrame) -> Iterator[str]:
    replies = rows.drop_duplicates("completion")
    others = replies[replies["outcome"] != "answered"]
    came = (others["text"] != "") | (others["completion_tokens"] > 0)
    said = others[came | (others["error"] != "")]
    if len(others) <= (1 - LITTLE) * len(replies) or said.empty:
        return
    yield (
        f"{name}: {len(replies) - len(others):,} of {len(replies):,} replies are answers; some of "
        "the others, as they came:"
    )
    columns = ["outcome", "text", "finish", "error"]
    for outcome, text, finish, error in (
        said[columns].drop_duplicates().head(_SHOWN).itertuples(index=False)
    ):
        yield f"  {outcome}: {_shown(text, finish, error)}"


def _shown(text: str, finish: str, error: str) -> str:
    if text or error:
        said = repr(text) if text else error
        return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    return "nothing: the limit ended it while it was thinking" if finish == "length" else "nothing"
