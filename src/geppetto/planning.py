"""Planning: whose persona stands in which prompt, the same cells for every condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geppetto.approach import Approach, ByRequests
from geppetto.elicitation.elicitation import Question
from geppetto.errors import GeppettoError
from geppetto.given import Given, Sample, Writer, given
from geppetto.models.base import LanguageModel
from geppetto.personas.arms import Arm, Average, Knockout, Matched, Shuffled
from geppetto.personas.average import average, averaged
from geppetto.personas.donors import groups, has_strangers
from geppetto.personas.known import shown
from geppetto.personas.strategy import PersonaStrategy
from geppetto.plan import Plan, PlannedAnswer, Strategy
from geppetto.prompts.layout import Layout, Prompt
from geppetto.prompts.session_layout import SessionLayout
from geppetto.question_desk import QuestionDesk
from geppetto.session_desk import SessionDesk, readers, shown_to
from geppetto.studies import Participant, Study
from geppetto.survey_desk import SurveyDesk


def make_plan(
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    layout: Layout,
    approaches: Sequence[Approach],
    paraphrases: int = 1,
) -> Plan:
    """Plan the same cells of a survey for every condition.

    With several `paraphrases` every strategy writes its personas in its first so many wordings,
    and every arm but `none` and `human`, which have one, answers each cell in each of them, with
    the same strangers.

    A participant for whom one of the arms cannot be made (nothing is known that a strategy
    shows, nobody can be their donor, or their answers made the program of a writer) is left out of
    all of them, and the plan says why; who has no match is left out of the arm `matched` only. A
    trait that was computed from an item is not shown where that item is predicted. The order in
    which the study's participants are given makes no difference.

    Raises
    ------
    GeppettoError
        If an arm means nothing for one of the strategies, a strategy has fewer wordings, or fewer
        than two people are left, or have a match.
    """
    draft = _draft(study, participants, items, strategies, arms, paraphrases, {})
    answers: list[PlannedAnswer] = []
    prompts: dict[str, Mapping[str, Prompt]] = {}
    questions: dict[tuple[str, str], Mapping[str, Question]] = {}
    for approach in approaches:
        desk = _desk(study, layout, approach)
        answers += [answer for each in draft.given for answer in desk.answers(each)]
        if isinstance(desk, QuestionDesk):
            questions[desk.key] = desk.questions
        else:
            prompts[desk.key[0]] = desk.prompts
    withheld = {
        (writer.label, trait): tuple(item for item in items if study.leaks(trait, item))
        for writer in draft.writers
        for trait in shown(writer.rule, study)
        if any(study.leaks(trait, item) for item in items)
    }
    return Plan(
        tuple(answers),
        draft.dropped,
        prompts,
        questions,
        matches=draft.sample.matches,
        withheld=withheld,
        commissions=draft.commissions,
    )


def _desk(study: Study, layout: Layout, approach: Approach) -> SurveyDesk | QuestionDesk:
    if isinstance(approach, ByRequests):
        return QuestionDesk(study, layout, approach)
    return SurveyDesk(study, layout, approach)


def plan_sessions(
    study: Study,
    participants: Sequence[Participant],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    layout: SessionLayout,
    models: Sequence[LanguageModel],
    paraphrases: int = 1,
) -> Plan:
    """Plan the same responses of every session for every condition; see `make_plan`.

    How much of a session is shown and scored is decided on the longest persona of any arm and the
    model with the least room. A participant of whom not even the first trial fits is left out.

    Raises
    ------
    GeppettoError
        As `make_plan`; or if a strategy reads responses to items, or a model cannot read sessions
        as they are to be presented.
    """
    for strategy in strategies:
        if strategy.rule.reads_responses:
            raise GeppettoError(
                f"{strategy.label} shows responses to items, which sessions do not have: what a "
                "participant did before stands in the session itself; leave the strategy out"
            )
    reading = [reader for model in models for reader in readers(model, layout).values()]
    dropped: dict[str, str] = {}
    while True:
        draft = _draft(study, participants, (), strategies, arms, paraphrases, dropped)
        fitted = shown_to(draft.given, reading, layout)
        without_room = [name for name, what in fitted.items() if not what.scored]
        if not without_room:
            break
        dropped |= dict.fromkeys(without_room, "whose first trial does not fit into the context")
    answers: list[PlannedAnswer] = []
    transcripts = {}
    for model in models:
        desk = SessionDesk(model, layout, fitted)
        answers += [answer for each in draft.given for answer in desk.answers(each)]
        transcripts[model.identity.name] = desk.transcripts
    return Plan(
        answers=tuple(answers),
        dropped=draft.dropped,
        transcripts=transcripts,
        matches=draft.sample.matches,
        sessions=fitted,
        commissions=draft.commissions,
    )


@dataclass(frozen=True)
class _Draft:
    """What is planned, whatever the model: who takes part, and what they are given."""

    writers: Sequence[Writer]
    sample: Sample
    given: Sequence[Given]
    dropped: Mapping[str, str]

    @property
    def commissions(self) -> frozenset[str]:
        return frozenset().union(*(writer.commissioned for writer in self.writers))


def _draft(
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    paraphrases: int,
    dropped: Mapping[str, str],
) -> _Draft:
    """What everybody is given but those who are dropped already."""
    for strategy in strategies:
        for arm in arms:
            arm.check(strategy.label, strategy.rule, study)
    places = {name: place for place, name in enumerate(study.people)}
    participants = sorted(participants, key=lambda person: places[person.id])
    writers = [
        Writer(study, strategy, items, _wordings(strategy, paraphrases)) for strategy in strategies
    ]
    kept, dropped = _eligible(study, participants, items, writers, arms, dropped)
    if len(kept) < 2:
        reasons = "; ".join(f"{count:,} {why}" for why, count in Counter(dropped.values()).items())
        raise GeppettoError(
            f"{len(kept)} participants are left to compare arms on, and intervals need at least "
            f"two: {reasons or 'the sample has no more'}"
        )
    sample = Sample.of(study, kept, writers, arms)
    for label, quality in sample.matches.items():
        drawn = sample.donors[label, Matched.name]
        if len({study.people[name].cluster or (name,) for name in drawn}) < 2:
            raise GeppettoError(
                f"arm 'matched': {quality.matched:,} of {quality.participants:,} people have a "
                f"stranger {quality.alike} ({label}), and intervals need at least two who are in "
                "no group together; let a number differ, as in `matched: {caliper: {age: 2}}`, or "
                "remove the arm"
            )
    return _Draft(writers, sample, list(given(sample, writers, arms, items)), dropped)


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
    out: Mapping[str, str],
) -> tuple[list[Participant], dict[str, str]]:
    """Participants for whom every arm can be made, and why the others are out."""
    dropped = dict(out)
    if not study.has_sessions:
        dropped |= {
            person.id: "without a response to any of the items"
            for person in participants
            if not person.responses.keys() & set(items)
        }
    for writer in writers:
        made_it = writer.taught_by
        why = f"whose answers the program of {writer.label} was made from"
        dropped |= {person.id: why for person in participants if person.id in made_it}
        participants = [person for person in participants if person.id not in made_it]
    for writer in writers:
        left_out = [t for arm in arms if isinstance(arm, Knockout) for t in writer.left_out(arm)]
        for person in participants:
            if not writer.describes(person):
                why = writer.refused(person)
                dropped[person.id] = why or f"without anything that {writer.label} could show"
                continue
            for trait in left_out:
                if not writer.describes(person, trait):
                    why = writer.refused(person, trait)
                    nothing = f"without anything but {trait} that {writer.label} shows"
                    dropped[person.id] = why or nothing
    while True:
        kept = [person for person in participants if person.id not in dropped]
        mean = average(kept, study)
        clusters = {person.id: person.cluster for person in kept}
        for writer in writers:
            known = {person.id: writer.known(person) for person in kept}
            for arm in arms:
                if isinstance(arm, Shuffled):
                    for group in groups(known):
                        if not has_strangers(group, clusters, arm.donors):
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
