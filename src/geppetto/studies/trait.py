"""What is known of a participant, as a codebook describes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from geppetto._util.validation import Declared, refuse_repeated

TraitValue = str | float


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"this is read as {str(value).lower()}, not as a word; put it in quotes")
    if value is None or isinstance(value, float):
        raise ValueError("write it in quotes")
    return str(value) if isinstance(value, int) else value


Text = Annotated[str, BeforeValidator(_as_text)]
"""A text that may be written as a whole number, as codes often are."""


def _each_its_own(value: Any) -> Any:
    """A list of words as a mapping from each to itself."""
    if not isinstance(value, list | tuple):
        return value
    for word in value:
        if isinstance(word, list | dict):
            raise ValueError("a list holds words as they are in the data, nothing else")
    words = [_as_text(word) for word in value]
    refuse_repeated(words)
    return dict(zip(words, words, strict=True))


Codes = Annotated[dict[Text, Text], BeforeValidator(_each_its_own)]
"""The meaning of each code; in a list, words that are their own codes."""


def disclosed(content: Any, key: str) -> Any:
    """What is declared, without the codes of answers that are `undisclosed`."""
    if not isinstance(content, dict) or not content.get("undisclosed"):
        return content
    left, codes = content["undisclosed"], content.get(key)
    if not isinstance(left, list | tuple) or not isinstance(codes, dict | list | tuple):
        return content
    unsaid = set(map(str, left))
    if isinstance(codes, dict):
        for code, words in codes.items():
            if str(words) in unsaid - set(map(str, codes)):
                raise ValueError(f"undisclosed: {words!r} is what {code!r} means; write the code")
        some: Any = {code: words for code, words in codes.items() if str(code) not in unsaid}
    else:
        some = [word for word in codes if str(word) not in unsaid]
    if not some:
        raise ValueError(f"undisclosed: none of the `{key}` is left")
    return content | {key: some}


class Poles(Declared):
    """Adjectives for the two ends of what is measured: "introverted" and "extraverted"."""

    low: Text
    high: Text


class Norm(Declared):
    """How a numeric trait is distributed where it was normed, and which values it can have.

    `source` is who published the mean and the SD of the people that it was normed on; `range` is
    the lowest and the highest value that is possible.

    Examples
    --------
    >>> Norm(mean=50, sd=10, poles=Poles(low="calm", high="anxious")).poles.high
    'anxious'
    """

    mean: float
    sd: float = Field(gt=0)
    range: tuple[float, float] | None = None
    poles: Poles | None = None
    source: str = ""


class Trait(Declared):
    """Something known of participants, as the codebook describes it.

    Attributes
    ----------
    label
        What it is called in running text: "highest level of education".
    question
        How a participant was, or could be, asked for it.
    values
        Meaning of each code of a categorical trait, or a list of words that are their own codes;
        None for a numeric one.
    undisclosed
        Codes of answers that tell nothing ("Prefer not to say"), or None if nothing was said of
        them. They count as missing, so that no persona says them.
    kind
        What it is, where that is not a category by its `values` or else a number: an "age" in years
        or in groups; a "birth_year"; a "number" that may look like an age and is none; a "category"
        whose values are the words that the data have; or "text", people's own words, which are
        shown as they were written and are never a demographic.
    survey_year
        Of a year of birth, the year in which people were asked, by which their age is checked.
    range
        The lowest and the highest value that is possible, of a number without a norm.
    demographic
        Whether it says which groups a participant belongs to (age, gender, education), and not
        what they think or are like (a score, a diagnosis, a party). The arm `matched` looks for
        strangers with the same demographics.
    caliper
        How far a numeric demographic of matched strangers may differ, in its unit; None if not at
        all. The arm can say it too.
    computed_from
        Items that give the trait away, as those do that a score was computed from.

    Examples
    --------
    >>> sex = Trait(name="sex", label="sex", question="What is your sex?", values={1: "Male"})
    >>> sex.values, sex.demographic
    ({'1': 'Male'}, True)
    """

    name: Text
    label: str
    question: str
    values: Codes | None = None
    undisclosed: tuple[Text, ...] | None = None
    kind: Literal["number", "age", "birth_year", "category", "text"] | None = None
    survey_year: int | None = Field(None, ge=1900, le=2200, strict=True)
    norm: Norm | None = None
    range: tuple[float, float] | None = None
    demographic: bool = True
    caliper: float | None = Field(None, gt=0, allow_inf_nan=False)
    computed_from: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _words_are_no_demographic(cls, content: Any) -> Any:
        content = disclosed(content, "values")
        if isinstance(content, dict) and content.get("kind") == "text":
            return {"demographic": False} | content
        return content

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind == "category" and self.values:
            raise ValueError(
                f"trait {self.name}: `kind: category` takes its values from the data; leave out "
                "`kind`, or `values`"
            )
        if self.kind not in (None, "age") and self.values:
            raise ValueError(f"trait {self.name}: `values` are of no {self.kind}; leave out one")
        if self.kind == "text" and (self.norm or self.range or self.demographic):
            raise ValueError(
                f"trait {self.name}: people's own words have no `norm` and no `range`, and nobody "
                "has the same, so they are no demographic"
            )
        if (self.kind == "birth_year") != (self.survey_year is not None):
            raise ValueError(
                f"trait {self.name}: `kind: birth_year` and `survey_year`, the year in which "
                "people were asked, belong together, so that their age can be checked"
            )
        return self

    @model_validator(mode="after")
    def _norm_of_a_number(self) -> Self:
        if self.norm and (self.values or self.kind == "category"):
            raise ValueError(f"trait {self.name}: give either `values` or a `norm`")
        if self.range and (self.norm or not self.is_number):
            raise ValueError(
                f"trait {self.name}: `range` is of a number without a norm; a norm has its own"
            )
        if self.caliper and not (self.is_number and self.demographic):
            raise ValueError(f"trait {self.name}: `caliper` is of a number that is a demographic")
        return self

    @property
    def limits(self) -> tuple[float, float] | None:
        """The lowest and the highest value that is possible, where that is known."""
        return self.norm.range if self.norm else self.range

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, and not codes or words."""
        return self.values is None and self.kind not in ("category", "text")

    def text(self, value: TraitValue) -> str:
        """A participant's value in words, or a number without needless decimals."""
        return value if isinstance(value, str) else f"{value:.12g}"
