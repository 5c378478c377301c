"""Which values lose their capital within a sentence: words of everyday, and never names.

A capital that stays is a matter of taste ("My work is Retired"); one that is lost is another name
("south Africa"). So only words that are known to be no names lose it, and only where all values of
a trait begin with such words: among parties, "Conservative" is a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# They say how much of something, so that what follows may be a name that keeps its capital.
_DEGREES = """
a an the not no very extremely slightly somewhat rather quite fairly strong strongly weak weakly
moderate moderately mostly mainly independent leaning close less more most least about around in
at on of to from by with without for under over above below up between some any every each all
none other another always never often sometimes seldom rarely once twice several few many
currently formerly temporarily partly fully neither both either only just nearly almost
"""

# Labels of questionnaires begin with them, and they are no names.
_WORDS = """
yes no true false unsure undecided don't do don’t does did prefer refused unknown missing male
female man woman boy girl men women nonbinary non-binary transgender intersex diverse single
married divorced widowed separated cohabiting partnered engaged living lives lived primary
elementary middle secondary high higher low lower upper junior senior basic advanced school
college university bachelor's bachelor’s master's master’s doctorate doctoral graduate graduated
undergraduate postgraduate vocational technical apprenticeship degree diploma associate
associate's professional completed finished incomplete started attended currently working work
works worked employed unemployed self-employed retired student pupil homemaker housewife keeping
looking seeking disabled unable sick part-time full-time part full casual manager clerk teacher
nurse farmer worker manual skilled unskilled semi-skilled military city town village suburb
rural urban farm countryside open country smaller larger small large medium big near
unincorporated metropolitan white black mixed liberal conservative left right centre center
radical centrist apolitical daily weekly monthly yearly annually hourly day week month year
never-married good bad poor fair excellent better worse best worst average typical normal
healthy happy unhappy satisfied dissatisfied agree disagree likely unlikely important
unimportant interested uninterested trusting much little lots enough too nothing something
everything nobody somebody someone everybody people anyone alone together religious spiritual
atheist agnostic nonreligious unaffiliated smoker non-smoker ex-smoker smokes drinks vegetarian
vegan owner owns own renter rents rented tenant owned parents children child one two three four
five six seven eight nine ten zero first second third fourth fifth half quarter short tall long
young old older younger early late new-born
"""

_OF_DEGREE = frozenset(_DEGREES.split())
_EVERYDAY = _OF_DEGREE | frozenset(_WORDS.split())


def within_a_sentence(value: str, choices: Sequence[str] = ()) -> str:
    """A value as it stands within a sentence, beside what else could have been the case.

    Examples
    --------
    >>> within_a_sentence("Some college"), within_a_sentence("South Africa")
    ('some college', 'South Africa')
    >>> within_a_sentence("Conservative", ("Conservative", "Labour"))
    'Conservative'
    """
    if _is_spelled(value) or not all(map(_is_everyday, (value, *choices))):
        return value
    return f"{value[:1].lower()}{value[1:]}"


def _is_spelled(value: str) -> bool:
    """Whether a value begins with an acronym or an I, which say nothing of the others."""
    first, *_ = value.split(maxsplit=1) or [""]
    return first == "I" or first.startswith(("I'", "I’")) or any(map(str.isupper, first[1:]))


def _is_everyday(value: str) -> bool:
    first, *others = value.split() or [""]
    if _is_spelled(value) or not first[:1].isupper():
        return True
    word = re.sub(r"[^\w'’-]+$", "", first).lower()
    if word in _OF_DEGREE:
        return True
    return word in _EVERYDAY and not any(other[:1].isupper() for other in others)
