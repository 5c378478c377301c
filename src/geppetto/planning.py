"""Planning: whose persona stands in which prompt, the same cells for every condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from geppetto.desks import SurveyDesk
from geppetto.errors import GeppettoError
from geppetto.given import Sample, Writer, given
from geppetto.models.base import LanguageModel
from geppetto.personas.arms import Arm, Average, Knockout, Strangers
from geppetto.personas.average import average, averaged
from geppetto.personas.donors import groups
from geppetto.personas.known import shown
from geppetto.personas.strategy import PersonaStrategy
from geppetto.plan import Plan, PlannedAnswer, Strategy
from geppetto.prompts.layout import Layout, Prompt
from geppetto.studies import Participant, Study


def make_plan(
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    layout: Layout,
    models: Sequence[LanguageModel],
    paraphrases: int = 1,
) -> Plan:
    """Plan the same cells for every condition.

    With several `paraphrases` every strategy writes its personas in its first so many wordings,
    and every arm but `none` and `human`, which have one, answers each cell in each of them, with
    the same strangers.

    A participant for whom one of the arms cannot be made (nothing is known that a strategy
    shows, or nobody can be their donor) is left out of all of them, and the plan says why. A
    trait that was computed from an item is not shown where that item is predicted. The order in
    which the study's participants are given makes no difference.

    Raises
    ------
    GeppettoError
        If an arm means nothing for one of the strategies, a strategy has fewer wordings, or fewer
        than two people are left.
    """
    for strategy in strategies:
        for arm in arms:
            arm.check(strategy.label, strategy.rule, study)
    places = {name: place for place, name in enumerate(study.people)}
    participants = sorted(participants, key=lambda person: places[person.id])
    writers = [
        Writer(study, strategy, items, _wordings(strategy, paraphrases)) for strategy in strategies
    ]
    kept, dropped = _eligible(study, participants, items, writers, arms)
    if len(kept) < 2:
        reasons = "; ".join(f"{count:,} {why}" for why, count in Counter(dropped.values()).items())
        raise GeppettoError(
            f"{len(kept)} participants are left to compare arms on, and intervals need at least "
            f"two: {reasons or 'the sample has no more'}"
        )
    sample = Sample.of(study, kept, writers, arms)
    everything = list(given(sample, writers, arms, items))
    answers: list[PlannedAnswer] = []
    prompts: dict[str, dict[str, Prompt]] = {}
    for model in models:
        desk = SurveyDesk(study, layout, model)
        answers += [answer for each in everything for answer in desk.answers(each)]
        prompts[model.identity.name] = desk.prompts
    withheld = {
        (writer.label, trait): tuple(item for item in items if study.leaks(trait, item))
        for writer in writers
        for trait in shown(writer.rule, study)
        if any(study.leaks(trait, item) for item in items)
    }
    return Plan(tuple(answers), prompts, dropped, sample.matches(study), withheld)


def _wordings(strategy: Strategy, paraphrases: int) -> list[PersonaStrategy]:
    """A strategy in each of its first so many wordings; the chosen one alone if that is one.

    Raises
    ------
    GeppettoError
        If it has fewer, or one was chosen although several are compared.
    """
    rule = strategy.rule
    if paraphrases == 1:
        return [rule]
    if "paraphrase" in rule.model_fields_set:
        raise GeppettoError(
            f"paraphrases: {paraphrases} compares the first {paraphrases} wordings of every "
            f"strategy, but {strategy.label} chooses one; remove its parameter `paraphrase`, or "
            "set `paraphrases: 1`"
        )
    if paraphrases > len(rule.paraphrases):
        raise GeppettoError(
            f"paraphrases: {strategy.label} has {len(rule.paraphrases)} wording(s), not "
            f"{paraphrases}; write more into its `paraphrases`, ask for fewer, or remove it"
        )
    return [rule.model_copy(update={"paraphrase": number}) for number in range(paraphrases)]


def _eligible(
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    writers: Sequence[Writer],
    arms: Sequence[Arm],
) -> tuple[list[Participant], dict[str, str]]:
    """Participants for whom every arm can be made, and why the others are out."""
    dropped = {
        person.id: "without a response to any of the items"
        for person in participants
        if not person.responses.keys() & set(items)
    }
    for writer in writers:
        left_out = [t for arm in arms if isinstance(arm, Knockout) for t in writer.left_out(arm)]
        for person in participants:
            if not writer.describes(person):
                dropped[person.id] = f"without anything that {writer.label} could show"
                continue
            for trait in left_out:
                if not writer.describes(person, trait):
                    dropped[person.id] = f"without anything but {trait} that {writer.label} shows"
    while True:
        kept = [person for person in participants if person.id not in dropped]
        mean = average(kept, study)
        for writer in writers:
            known = {person.id: writer.known(person) for person in kept}
            for arm in arms:
                if isinstance(arm, Strangers):
                    for group in groups(known):
                        if len(group) <= arm.donors:
                            why = f"without {arm.donors} donor(s) of whom the same is known"
                            dropped |= dict.fromkeys(group, f"{why} ({writer.label})")
                elif isinstance(arm, Average):
                    for person in kept:
                        if not writer.describes(averaged(person, mean)):
                            dropped[person.id] = (
                                f"for whom {writer.label} writes nothing of their average"
                            )
        if all(person.id not in dropped for person in kept):
            return kept, dropped
