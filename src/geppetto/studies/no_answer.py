"""Options that say that somebody gave no answer, which are no step of a scale."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator

from geppetto.studies.codebook import Codebook, Scale
from geppetto.studies.problems import Problem

_WORDS = re.compile(
    r"^\W*(?:"
    # English
    r"(?:i )?(?:do not|dont|didnt|did not) (?:really )?know|dk(?: ?na| ?nr)?\b|not sure\b|unsure\b"
    r"|undecided$|(?:i )?(?:cannot|cant|can not) (?:say|choose|answer|decide|tell)"
    r"|no (?:answer|response|opinion|reply)|not (?:applicable|answered|ascertained|asked|stated)"
    r"|(?:i )?(?:prefer|would prefer|rather|would rather) not|refus|declined?\b"
    r"|inapplicable|n ?a$|missing$|skipped$"
    # German, Dutch, Swedish, Norwegian, Danish
    r"|(?:ich )?wei(?:ß|ss) (?:es )?nicht|keine (?:angabe|antwort|meinung)|verweiger|k ?a$"
    r"|weet (?:ik )?(?:het )?niet|geen (?:antwoord|mening)|wil niet zeggen"
    r"|vet (?:ej|inte|ikke)|ved ikke|inget svar|vill (?:ej|inte) svara|ønsker ikke"
    # French, Spanish, Portuguese, Italian, Catalan
    r"|(?:je )?ne sai[ts] pas|nsp\b|sans (?:réponse|opinion|avis)|ne se prononce pas|refus"
    r"|no (?:sabe|sé|contesta|responde|contesto)|ns ?nc\b|prefiero no"
    r"|não (?:sabe|sei|respond|quer)|ns ?nr\b|prefiro não"
    r"|non (?:so|sa|risponde|saprei)\b|nessuna (?:risposta|opinione)|preferisco non"
    # Polish, Czech, Russian, Ukrainian, Turkish, Finnish, Greek
    r"|nie wiem|odmow|trudno powiedzieć|brak odpowiedzi|nevím|bez odpovědi"
    r"|не знаю|затрудняюсь|отказ|нет ответа|важко сказати|не знаю"
    r"|bilmiyor|fikrim yok|cevap (?:yok|vermek)|en osaa sanoa|en tiedä|δεν (?:γνωρίζω|ξέρω|απαντώ)"
    # Chinese, Japanese, Korean, Arabic, Hebrew, Hindi
    r"|不知道|不清楚|不适用|不適用|拒答|拒绝|拒絕|无法回答|無法回答|说不清|說不清"
    r"|わからない|分からない|無回答|答えたくない|該当しない"
    r"|모르겠|모름|무응답|응답 ?거부|해당 ?없음"
    r"|لا (?:أعرف|اعرف|أعلم)|رفض|لا ينطبق|לא יודע|מסרב|पता नहीं|नहीं पता"
    r")"
)


def says_no_answer(label: str) -> bool:
    """Whether the words of an option say that no answer was given, in one of many languages.

    Examples
    --------
    >>> says_no_answer("Don't know"), says_no_answer("Weiß nicht"), says_no_answer("Not at all")
    (True, True, False)
    """
    plain = unicodedata.normalize("NFC", label).casefold().replace("ß", "ss")
    plain = re.sub(r"['’`´]", "", plain)
    return bool(_WORDS.search(re.sub(r"[\s./_-]+", " ", plain).strip()))


def quoted(code: str) -> str:
    """A code as it is written within brackets of a codebook.

    Examples
    --------
    >>> quoted("8"), quoted("Don't know"), quoted("no")
    ('8', '"Don\'t know"', '"no"')
    """
    return code if re.fullmatch(r"0|-?[1-9][0-9]*", code) else json.dumps(code, ensure_ascii=False)


def ends_without_answer(scale: Scale) -> list[str]:
    """Codes at the ends of an order that say that no answer was given, and are not declared so."""
    codes = list(scale.options)
    if scale.outside is not None or not scale.ordinal:
        return []
    found = []
    for way in (codes, codes[::-1]):
        for code in way:
            if not says_no_answer(scale.options[code]):
                break
            found.append(code)
    return [code for code in codes if code in found]


def no_answers(codebook: Codebook) -> Iterator[Problem]:
    """What would count as a step of an order, or be said of a person, and is no answer.

    It is an error for each option at the end of an order that says "don't know", and a note for
    each such value of a trait.
    """
    for trait in codebook.traits:
        silent = [code for code, words in (trait.values or {}).items() if says_no_answer(words)]
        if silent and trait.undisclosed is None:
            listed = ", ".join(map(quoted, silent))
            yield Problem(
                "note",
                trait.name,
                "personas will say this of people; say "
                f"`undisclosed: [{listed}]` in the trait, and it counts as not known "
                "(`undisclosed: []`, if it is to be said)",
                value=", ".join((trait.values or {})[code] for code in silent),
            )
    for name, scale in codebook.scales.items():
        codes = ends_without_answer(scale)
        if codes:
            listed = ", ".join(map(quoted, codes))
            yield Problem(
                "error",
                f"scale {name}",
                f"{scale.options[codes[0]]!r} would count as one step beyond the others; say "
                f"`outside: [{listed}]` in the scale, so that it counts in no score, or "
                "`outside: []` if it is a step of the scale",
                value=listed,
            )
