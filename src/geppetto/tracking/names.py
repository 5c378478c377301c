"""Names of what is kept: short enough for every store, and never one name for two things."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable

MOST = 240
"""Bytes of a name: keys in MLflow have 250 letters, and files 255 bytes with their ending."""

_MARK = 10
"""Letters of the mark of what is cut or shares a name; 16 ** 10 of them."""

Label = tuple[str, ...]
"""What a thing is called, in parts: a model and a strategy, for one."""


def names(labels: Iterable[Label], most: int = MOST, between: str = " ") -> dict[Label, str]:
    """A name for each label, which MLflow takes for a metric, a tag or a file.

    Those that are cut, or that would share a name, also where capitals are not told apart, get a
    mark of the whole label.

    Parameters
    ----------
    labels
        All things that need different names.
    most
        So many bytes a name may have.
    between
        What stands between the parts of a label.

    Examples
    --------
    >>> names([("lab/m", "interview"), ("lab", "interview")])
    {('lab/m', 'interview'): 'lab_m interview', ('lab', 'interview'): 'lab interview'}
    >>> sorted(names([("lab/m",), ("lab_m",)]).values())
    ['lab_m_6ddc06f87a', 'lab_m_a9785e06a3']
    """
    plain = {label: _clean(between.join(label)) for label in labels}
    shared = Counter(map(_as_file, plain.values()))
    return {
        label: name
        if name and shared[_as_file(name)] == 1 and len(name.encode()) <= most
        else _marked(label, name, most)
        for label, name in plain.items()
    }


def registered(label: str) -> str:
    """A label as MLflow's registry of prompts takes it; marked wherever it is not the label itself.

    Examples
    --------
    >>> registered("bfi_search-winner")
    'bfi_search-winner'
    >>> registered("Studie für mich")
    'Studie_f_r_mich_6c26a6a8f8'
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in label)
    return plain if plain == label and len(label) <= MOST else _marked((label,), plain, MOST)


def cut(text: str, most: int) -> str:
    """A text of at most so many bytes, which says by its end that it was cut.

    Examples
    --------
    >>> cut("ärmer", 6), cut("wärmer", 6)
    ('ärmer', 'wä…')
    """
    if len(text.encode(errors="replace")) <= most:
        return text
    return _first(text, most - len("…".encode())) + "…"


def _clean(label: str) -> str:
    """What MLflow takes of a label; a name of dots alone would be a folder."""
    kept = "".join(c if c.isalnum() or c in "_-. " else "_" for c in label).strip("_ ")
    return kept if kept.strip(".") else ""


def _as_file(name: str) -> str:
    """What names have in common that some file systems and databases do not tell apart."""
    return unicodedata.normalize("NFC", name).casefold()


def _marked(label: Label, name: str, most: int) -> str:
    mark = hashlib.sha256(json.dumps(label).encode()).hexdigest()[:_MARK]
    return f"{_first(name, most - _MARK - 1)}_{mark}".lstrip("_ ")


def _first(text: str, most: int) -> str:
    return text.encode(errors="replace")[:most].decode(errors="ignore")
