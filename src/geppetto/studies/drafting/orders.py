"""Words of scales in their order, in English and German: agreement, frequency, and so on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from geppetto.studies.no_answer import says_no_answer

_UNDISCLOSED = re.compile(
    r"(?:prefer|rather|would rather|choose|wish|want) not\b|not? (?:want|wish) to (?:say|answer)"
    r"|refus|declin|no answer|keine angabe|k\.? ?a\.?$|möchte .*nicht|verweiger|not disclos"
)


@dataclass(frozen=True)
class Order:
    """The options of a scale as they are in the data, in their order.

    Attributes
    ----------
    family
        What they say: "agreement", "frequency"; "numbers" if only a number in each orders them.
    steps
        Where each option stands.
    labels
        What each option says in words, without a number before it.
    outside, undisclosed
        Options that are no step: "Don't know"; "Prefer not to say".
    """

    family: str
    steps: dict[str, float]
    labels: dict[str, str]
    outside: tuple[str, ...] = ()
    undisclosed: tuple[str, ...] = ()

    @property
    def ordered(self) -> list[str]:
        return sorted(self.steps, key=self.steps.__getitem__)


_DEGREES = {
    4.0: "completely|totally|fully|absolutely|entirely|extremely|voll und ganz|voll|völlig"
    "|vollkommen|vollständig|ganz und gar|äußerst|extrem|genau",
    3.0: "strongly|very strongly|very much|very|sehr|stark",
    2.5: "quite|pretty|ziemlich|weitgehend|überwiegend",
    1.6: "mostly|generally|moderately|meistens|größtenteils|mäßig",
    1.4: "somewhat|fairly|rather|tend to|partially|partly|eher|teilweise|etwas",
    1.0: "slightly|a little|a bit|weakly|leicht|wenig|ein wenig",
}
_POLES = {
    "agreement": ("agree", "disagree|lehne"),
    "satisfaction": ("satisfied|zufrieden", "dissatisfied|unsatisfied|unzufrieden"),
    "likelihood": ("likely|probable|wahrscheinlich", "unlikely|improbable|unwahrscheinlich"),
    "importance": ("important|wichtig", "unimportant|unwichtig"),
    "accuracy": ("accurate|true|like me|characteristic|zutreffend",
                 "inaccurate|untrue|unlike me|uncharacteristic|unzutreffend"),
    "approval": ("approve|support|favor|favour|in favor|in favour", "disapprove|oppose|against"),
    "comfort": ("comfortable|confident|concerned|worried|interested",
                "uncomfortable|unconfident|unconcerned|uninterested"),
    "happiness": ("happy|glücklich", "unhappy|unglücklich"),
}  # fmt: skip
_GERMAN = {"agreement": r"stimme|stimmt", "accuracy": r"trifft|trifft auf mich"}
"""Verbs that end in "zu", and take "nicht" for their other pole."""
_NEUTRAL = re.compile(
    r"neither.*|neutral.*|undecided|indifferent|unentschieden|weder.*|teils.*teils|mittel.*"
    r"|in the middle|both equally|no preference|about the same"
)
_PLAIN = {
    "frequency": [
        "never|nie|niemals|at no time",
        "almost never|hardly ever|very rarely|fast nie|sehr selten|once or twice",
        "rarely|seldom|selten|less than once a year|less than once a month|a few times a year",
        "occasionally|once in a while|gelegentlich|once a month|monthly|monatlich|some of the time",
        "sometimes|manchmal|hin und wieder|ab und zu|2-3 times a month|several times a month",
        "about half the time|once a week|weekly|wöchentlich|less than half the time",
        "often|frequently|oft|häufig|2-3 times a week|several times a week|mehrmals pro woche",
        "usually|most of the time|meistens|4-6 times a week|more than half the time",
        "very often|very frequently|sehr oft|sehr häufig|nearly every day",
        "almost always|nearly always|fast immer|daily|every day|täglich",
        "always|immer|all of the time|several times a day|mehrmals täglich",
    ],
    "yes_no": [
        "no|nein|definitely not|not selected|nicht gewählt",
        "probably not|eher nein",
        "maybe|perhaps|possibly|vielleicht|partly|teilweise|sometimes|might or might not",
        "probably|eher ja|probably yes",
        "yes|ja|definitely|selected|gewählt|definitely yes",
    ],
    "truth": ["false|falsch|not true", "somewhat true|partly true", "true|richtig|certainly true"],
    "degree": [
        "not at all|none|nothing|none at all|gar nicht|überhaupt nicht|keine|to no extent|not",
        "very little|hardly at all|hardly|kaum|sehr wenig|not very|not really|not(?: very)? much",
        "a little|slightly|a little bit|ein wenig|wenig|little|to a small extent|a bit|leicht",
        "somewhat|some|etwas|to some extent|a moderate amount|einigermaßen|teilweise",
        "moderately|mittelmäßig|mäßig|medium|to a moderate extent|fairly|mittel",
        "quite a bit|quite|ziemlich|quite a lot|rather|mostly",
        "a lot|very much|very|sehr|a great deal|viel|to a large extent|stark|strongly|sehr viel",
        "extremely|completely|entirely|totally|äußerst|extrem|völlig|voll und ganz|vollkommen",
    ],
    "quality": [
        "terrible|awful|very bad|very poor|sehr schlecht|miserable",
        "bad|poor|schlecht",
        "fair|average|okay|ok|acceptable|mittelmäßig|neither good nor bad|befriedigend|teils/teils",
        "good|gut",
        "very good|sehr gut",
        "excellent|ausgezeichnet|outstanding|exceptional|hervorragend",
    ],
    "quantity": ["less|weniger|too little|worse|schlechter|decreased",
                 "the same|about the same|about right|gleich|same|unverändert|stayed the same",
                 "more|mehr|too much|better|besser|increased"],
}  # fmt: skip


def plain(words: str) -> str:
    """Words without what differs from survey to survey: capitals, dashes, quotes and points."""
    text = unicodedata.normalize("NFC", words).casefold().replace("ß", "ss")
    text = re.sub(r"[‐-―]", "-", re.sub(r"['’`´\"“”„.!…*]", "", text))
    return re.sub(r"\s+", " ", text).strip()


def _either(words: str) -> str:
    return "|".join(plain(one).replace("-", r"[- ]?") for one in words.split("|"))


def _polar(family: str) -> Callable[[str], float | None]:
    """Where words stand of which some agree, some disagree, and each more or less."""
    for_it, against = (re.compile(rf"(?:.* )?({_either(pole)})(?: .*)?") for pole in _POLES[family])
    degrees = [(step, re.compile(rf"(?:.* )?(?:{_either(w)})\b.*")) for step, w in _DEGREES.items()]
    verb = (
        re.compile(rf"(?:ich )?(?:{_GERMAN[family]})\b(.*?)\b(?:zu)?")
        if family in _GERMAN
        else None
    )

    def step(words: str) -> float | None:
        if _NEUTRAL.fullmatch(words):
            return 0.0
        german = verb.fullmatch(words) if verb else None
        if not (german or for_it.fullmatch(words) or against.fullmatch(words)):
            return None
        if re.search(r"\b(?:not at all|not .*at all|(?:überhaupt|gar|absolut) nicht)\b", words):
            return -4.0
        if german and re.search(r"\b(?:teilweise|teils)\b", words):
            return 0.0
        degree = next((step for step, found in degrees if found.fullmatch(words)), 2.0)
        negated = re.search(r"\b(?:nicht|not|not too)\b", words)
        if german:
            return -degree if negated else degree
        if against.fullmatch(words) and not for_it.fullmatch(words):
            return -degree
        return -1.2 if negated and degree > 2 else -degree if negated else degree

    return step


def _listed(family: str) -> Callable[[str], float | None]:
    """Where words stand of which each is known."""
    steps = [re.compile(_either(words)) for words in _PLAIN[family]]
    return lambda words: next((float(n) for n, w in enumerate(steps) if w.fullmatch(words)), None)


_FAMILIES = {family: _polar(family) for family in _POLES} | {
    family: _listed(family) for family in _PLAIN
}
_NUMBERED = (
    re.compile(r"(?P<n>-?[0-9]+)\s*(?:[=:.)\]–—-]+\s*|\s)(?P<words>.*)"),
    re.compile(r"\(\s*(?P<n>-?[0-9]+)\s*\)\s*(?P<words>.*)"),
    re.compile(r"(?P<words>.*?)\s*[(\[=]\s*(?P<n>-?[0-9]+)\s*[)\]]?"),
    re.compile(r"(?P<n>-?[0-9]+)(?P<words>)"),
)


def _numbered(option: str) -> tuple[int, str] | None:
    """The number in "1 = strongly disagree" or "strongly disagree (1)", and the words."""
    for pattern in _NUMBERED:
        if found := pattern.fullmatch(option.strip()):
            return int(found["n"]), found["words"].strip() or found["n"]
    return None


def order(options: Collection[str]) -> Order | None:
    """The order of the options of a scale; None if they have none that is known.

    Examples
    --------
    >>> order(["Agree", "Strongly disagree", "Neutral", "Disagree"]).ordered
    ['Strongly disagree', 'Disagree', 'Neutral', 'Agree']
    >>> order(["5 = oft", "1 = nie", "3"]).labels
    {'1 = nie': 'nie', '3': '3', '5 = oft': 'oft'}
    """
    silent = tuple(option for option in options if says_no_answer(option))
    for aside in (tuple(o for o in silent if plain(o) != "undecided"), silent):
        steps = [option for option in options if option not in aside]
        for found in _orders(steps) if len(steps) > 1 else ():
            if len(set(found.steps.values())) == len(steps):
                kept = tuple(option for option in aside if is_undisclosed(option))
                return Order(
                    found.family,
                    found.steps,
                    {option: found.labels[option] for option in found.ordered},
                    tuple(option for option in aside if option not in kept),
                    kept,
                )
    return None


def is_undisclosed(option: str) -> bool:
    """Whether an option says that somebody tells nothing, and not that they do not know.

    Examples
    --------
    >>> is_undisclosed("Prefer not to say"), is_undisclosed("Don't know")
    (True, False)
    """
    return says_no_answer(option) and bool(_UNDISCLOSED.search(plain(option)))


def family_of(options: Collection[str]) -> str:
    """What the words of a scale say, "answers" if that is not known."""
    found = order(options)
    return found.family if found and found.family != "numbers" else "answers"


def _orders(options: list[str]) -> Iterator[Order]:
    numbered = [_numbered(option) for option in options]
    if all(numbered) and any(
        words and not words.lstrip("-").isdigit() for _, words in filter(None, numbered)
    ):
        pairs = [(option, *pair) for option, pair in zip(options, numbered, strict=True) if pair]
        labels = {option: words for option, _, words in pairs}
        named = next(_by_words([w for w in labels.values() if not w.isdigit()]), None)
        family = named.family if named else "numbers"
        yield Order(family, {option: float(n) for option, n, _ in pairs}, labels)
    yield from _by_words(options)


def _by_words(options: list[str]) -> Iterator[Order]:
    for family, step in _FAMILIES.items():
        steps = {option: step(plain(option)) for option in options}
        known = {option: place for option, place in steps.items() if place is not None}
        if len(known) == len(options):
            yield Order(family, known, {option: option for option in options})
