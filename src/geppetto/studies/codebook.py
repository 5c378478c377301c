"""What is asked in a study and how its data file is to be read: everything but the people."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from geppetto._util.errors import unknown
from geppetto._util.validation import Declared
from geppetto.studies.sessions.announced import compiled
from geppetto.studies.trait import Codes, Poles, Text, Trait, disclosed


def _listed(value: Any) -> Any:
    """A single text as a list of one."""
    return [value] if isinstance(value, str) else value


class Scale(Declared):
    """The legal responses to an item, in order, each with its meaning.

    `options` may be a list of words that are their own codes. `outside` are options that are legal
    answers and no step of the order ("Don't know"): they count in no score. It is empty if that was
    thought of, and None if nothing was said. `undisclosed` are answers that tell nothing ("Prefer
    not to say"): they count as missing, and no model is offered them.

    Examples
    --------
    >>> scale = Scale(options={1: "Never", 2: "Often", 8: "Don't know"}, outside=[8])
    >>> scale.options["2"], scale.ordered
    ('Often', ('1', '2'))
    >>> Scale(options=["Never", "Often", "No answer"], undisclosed=["No answer"]).options
    {'Never': 'Never', 'Often': 'Often'}
    """

    options: Codes = Field(min_length=2)
    ordinal: bool = True
    outside: tuple[Text, ...] | None = None
    undisclosed: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _undisclosed_is_no_option(cls, content: Any) -> Any:
        return disclosed(content, "options")

    @model_validator(mode="after")
    def _outside_is_some(self) -> Self:
        for code in self.outside or ():
            _known("option", code, self.options, "outside")
        if self.outside and len(self.ordered) < 2:
            raise ValueError("outside: fewer than two options are left in the order")
        if self.outside and not self.has_order:
            raise ValueError("outside: these options have no order; leave the key out")
        return self

    @property
    def ordered(self) -> tuple[str, ...]:
        """The options that are steps of the order, if it has one."""
        return tuple(code for code in self.options if code not in (self.outside or ()))

    @property
    def has_order(self) -> bool:
        """Whether responses lie between its first and its last option, as any of two do."""
        return self.ordinal or len(self.ordered) == 2


class Item(Declared):
    """A question asked of many, by the name that the data have for it.

    What it `measures` is a construct; its `key` is -1 if agreeing means less of that. Its `prefix`
    stands before its text in place of the codebook's `item_prefix`.

    Examples
    --------
    >>> Item(name="q1", text="I sleep well.", scale="agreement", measures="insomnia", key=-1).key
    -1
    """

    name: Text
    text: str
    scale: Text
    measures: str = ""
    key: Literal[-1, 1] = 1
    prefix: str | None = None


class Exclusion(Declared):
    """People who are in the data but are not used, and why.

    What excludes them is a smaller number, a larger one, a code or any other code, one of several
    codes (`in`) or none of them (`not_in`), in a column of the data, which need not be a trait; an
    empty cell excludes nobody. The `reason` reads after "people"; several rules may have the same.

    Examples
    --------
    >>> Exclusion(column="age", below=18, reason="under 18 years").below
    18.0
    >>> Exclusion.model_validate({"column": "status", "in": [1, 8], "reason": "who tried it"}).codes
    ('1', '8')
    """

    column: Text
    below: float | None = None
    above: float | None = None
    equals: Text | None = None
    not_equals: Text | None = None
    among: tuple[Text, ...] | None = Field(None, alias="in", min_length=1)
    not_in: tuple[Text, ...] | None = Field(None, min_length=1)
    reason: str

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        rules = (self.below, self.above, self.equals, self.not_equals, self.among, self.not_in)
        if sum(rule is not None for rule in rules) != 1:
            raise ValueError(
                f"people {self.reason}: give one of `below`, `above`, `equals`, `not_equals`, `in` "
                "and `not_in`"
            )
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that the rule names; none if it is about numbers."""
        single = self.equals if self.equals is not None else self.not_equals
        return (single,) if single is not None else self.among or self.not_in or ()

    @property
    def spares_codes(self) -> bool:
        """Whether people with its codes are those who stay."""
        return self.not_equals is not None or self.not_in is not None


class Waves(Declared):
    """Two occasions on which the same items were answered.

    In a wide file they are endings of column names (`retest: _2` is `q1_2` for item `q1`), in a
    long file they are values of `column`. The retest only says how well people agree with
    themselves.

    Examples
    --------
    >>> Waves(retest="_2").predict
    ''
    """

    predict: Text = ""
    retest: Text
    column: Text | None = None


class Source(Declared):
    """Where a study comes from and what may be done with it.

    Examples
    --------
    >>> Source(origin="own survey", licence="CC0").citation
    ''
    """

    origin: str
    licence: str = ""
    citation: str = ""


class Codebook(Declared):
    """Everything about a study but the people.

    The pages "A survey of your own" and "Behavioural sessions" of the documentation say what each
    key means.

    `options` are what the responses of sessions are: one of these, the same for everybody;
    "inferred" from what is observed, where all seem to have been on offer all the time; inferred,
    where "all" were; or "open". How their text announces what is on offer is said by patterns, see
    `sessions.announced.compiled`.

    Examples
    --------
    >>> from geppetto.studies import bundled_studies
    >>> book = bundled_studies()["bfi"]
    >>> len(book.items), book.items[0].text
    (25, 'Am indifferent to the feelings of others.')
    """

    name: str
    title: str
    source: Source
    instruction: str
    data: Path | None = None
    encoding: str | None = None
    skip_rows: int = Field(0, ge=0, le=10, strict=True)
    layout: Literal["wide", "long", "sessions"] = "wide"
    participant_column: Text
    weight_column: Text | None = None
    cluster_column: Text | None = None
    item_column: Text = "item"
    response_column: Text = "response"
    waves: Waves | None = None
    repeats_are_retest: bool = False
    missing: tuple[Text, ...] = ()
    missing_in: dict[Text, tuple[Text, ...]] = Field({})
    traits: tuple[Trait, ...]
    scales: dict[Text, Scale]
    items: tuple[Item, ...]
    constructs: dict[Text, Poles] = Field({})
    exclusions: tuple[Exclusion, ...] = ()
    includes_minors: bool = False
    category: str = ""
    notes: str = ""
    item_prefix: str = "Statement:"
    decimal: Literal[".", ","] = "."
    options: tuple[Text, ...] | Literal["inferred", "all", "open"] = "inferred"
    announced: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    first_trial: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _sessions_have_no_items(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("layout") == "sessions":
            return _OF_SESSIONS | {"title": content.get("name", "")} | content
        return content

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        items = [item.name for item in self.items]
        columns = [self.participant_column, *(trait.name for trait in self.traits), *items]
        for name in columns:
            if columns.count(name) > 1:
                raise ValueError(f"{name!r} is described twice; keep one of them")
        for item in self.items:
            _known("scale", item.scale, self.scales, f"item {item.name}")
        measured = {item.measures for item in self.items if item.measures}
        for construct in self.constructs:
            _known("construct", construct, measured, "constructs")
        for trait in self.traits:
            for item_name in trait.computed_from:
                _known("item", item_name, items, f"computed_from of trait {trait.name}")
        described = [*columns, *(exclusion.column for exclusion in self.exclusions)]
        described += [name for name in (self.cluster_column, self.weight_column) if name]
        for column in self.missing_in if self.layout != "sessions" else ():
            _known("column", column, described, "missing_in")
        return self

    @model_validator(mode="after")
    def _sessions_fit(self) -> Self:
        sessions = self.layout == "sessions"
        if not sessions and not self.items:
            raise ValueError("`items` is empty; a study has at least one item")
        of_others = ("items", "scales", "constructs", "instruction", "item_prefix", "waves")
        for key in of_others if sessions else ("options", "announced", "first_trial"):
            if key in self.model_fields_set and getattr(self, key):
                raise ValueError(
                    f"`{key}` does not belong to `layout: sessions`: their text has it all"
                    if sessions
                    else f"`{key}` belongs to `layout: sessions`; this file is {self.layout}"
                )
        if sessions and self.participant_column != "participant":
            raise ValueError("participants of sessions are in `participant`; leave the key out")
        if isinstance(self.options, tuple) and len(set(self.options)) < max(2, len(self.options)):
            raise ValueError("options: name at least two, each once; or say `options: open`")
        if self.announced and "options" in self.model_fields_set:
            raise ValueError("give either `options` or `announced`: the text says what they are")
        for pattern in self.announced:
            compiled(pattern)
        return self

    @model_validator(mode="after")
    def _layout_fits(self) -> Self:
        long = self.layout == "long"
        for key in ("item_column", "response_column", "repeats_are_retest"):
            if key in self.model_fields_set and not long:
                raise ValueError(f"`{key}` belongs to `layout: long`; this file is {self.layout}")
        if self.waves and self.waves.predict == self.waves.retest:
            raise ValueError("waves: `predict` and `retest` are the same")
        if self.waves and (self.waves.column is not None) != long:
            raise ValueError(
                "waves: `column` says where the rows of a long file have their wave"
                if long
                else "waves: `column` belongs to `layout: long`; in a wide file, `predict` and "
                "`retest` are endings of column names"
            )
        if self.waves and self.repeats_are_retest:
            raise ValueError("give either `waves` or `repeats_are_retest`: there is one retest")
        return self

    @model_validator(mode="after")
    def _missing_is_no_code(self) -> Self:
        coded: list[tuple[str, Iterable[str]]] = [
            (trait.name, trait.values or ()) for trait in self.traits
        ]
        coded += [(item.name, self.scales[item.scale].options) for item in self.items]
        for name, codes in coded:
            both = [code for code in codes if code in self.missing_codes(name)]
            if both:
                raise ValueError(
                    f"{name}: code {both[0]!r} has a meaning and is among the missing codes; "
                    "take it out of one of them (`missing_in` is for single columns)"
                )
        return self

    def missing_codes(self, column: str) -> frozenset[str]:
        """Codes that stand for "no answer" in a column."""
        declared = (
            self.missing,
            self.missing_in.get(column, ()),
            self._undisclosed.get(column, ()),
        )
        return frozenset().union(*declared)

    @cached_property
    def _undisclosed(self) -> dict[str, tuple[str, ...]]:
        """Codes by which people told nothing, by column."""
        of_items = {item.name: self.scales[item.scale].undisclosed for item in self.items}
        return of_items | {trait.name: trait.undisclosed or () for trait in self.traits}

    def asked(self, item: Item) -> str:
        """An item as it is put before a model, behind its prefix if it has one.

        Examples
        --------
        >>> from geppetto.studies import bundled_studies
        >>> book = bundled_studies()["bfi"]
        >>> book.asked(book.items[1])
        'Statement: Inquire about others' well-being.'
        """
        prefix = self.item_prefix if item.prefix is None else item.prefix
        return f"{prefix} {item.text}" if prefix else item.text


_OF_SESSIONS: dict[str, Any] = {
    "source": {"origin": ""},
    "instruction": "",
    "participant_column": "participant",
    "traits": (),
    "scales": {},
    "items": (),
}
"""What a codebook of sessions need not say."""


def _known(kind: str, name: str, known: Iterable[str], place: str) -> None:
    if name not in known:
        raise ValueError(str(unknown(kind, name, known, place)))
