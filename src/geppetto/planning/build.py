"""Planning: whose persona stands in which prompt, the same cells for every condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.base import Question
from geppetto.models.base import Scorer
from geppetto.personas.arms import Arm, Average, Knockout, Matched, Shuffled
from geppetto.personas.average import average, averaged
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.donors import groups, has_strangers
from geppetto.personas.generated import GenerationRequest
from geppetto.personas.visibility import shown
from geppetto.planning.assignment import Assignment, PersonaCache, Sample, assignments
from geppetto.planning.elicited import Elicited
from geppetto.planning.on_demand import OnDemand
from geppetto.planning.plan import Plan, PlannedAnswer, Strategy
from geppetto.planning.prompt_builder import PromptBuilder
from geppetto.planning.session_prompts import SessionPromptBuilder, readers, shown_to
from geppetto.planning.survey_prompts import SurveyPromptBuilder
from geppetto.planning.survey_questions import SurveyQuestionBuilder
from geppetto.prompts.session_layout import SessionLayout
from geppetto.prompts.survey import Layout, Prompt
from geppetto.studies import Participant, Study


def make_plan(  # noqa: PLR0913  what a plan is made of
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    layout: Layout,
    all_elicited: Sequence[Elicited],
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
    if draft.pending:
        return Plan((), draft.dropped, pending=draft.pending)
    answers: list[PlannedAnswer] = []
    prompts: dict[str, OnDemand[Prompt]] = {}
    questions: dict[tuple[str, str], OnDemand[Question]] = {}
    for elicited in all_elicited:
        builder: PromptBuilder[Prompt] | PromptBuilder[Question]
        if elicited.scorer is not None:
            builder = of_prompts = SurveyPromptBuilder(
                study, layout, elicited.scorer, elicited.label
            )
            prompts[elicited.key[0]] = of_prompts.texts
        else:
            builder = of_questions = SurveyQuestionBuilder(study, layout, elicited)
            questions[elicited.key] = of_questions.texts
        answers += [answer for each in draft.assignments for answer in builder.answers(each)]
    withheld = {
        (cache.label, trait): tuple(item for item in items if study.leaks(trait, item))
        for cache in draft.caches
        for trait in shown(cache.rule, study)
        if any(study.leaks(trait, item) for item in items)
    }
    return Plan(
        tuple(answers),
        draft.dropped,
        prompts,
        questions,
        matches=draft.sample.matches,
        withheld=withheld,
        generations=draft.generations,
    )


def plan_sessions(
    study: Study,
    participants: Sequence[Participant],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    layout: SessionLayout,
    models: Sequence[Scorer],
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
        if draft.pending:
            return Plan((), draft.dropped, pending=draft.pending)
        fitted = shown_to(draft.assignments, reading, layout)
        without_room = [name for name, what in fitted.items() if not what.scored]
        if not without_room:
            break
        dropped |= dict.fromkeys(without_room, "whose first trial does not fit into the context")
    answers: list[PlannedAnswer] = []
    transcripts = {}
    for model in models:
        builder = SessionPromptBuilder(model, layout, fitted)
        answers += [answer for each in draft.assignments for answer in builder.answers(each)]
        transcripts[model.identity.name] = builder.transcripts
    return Plan(
        answers=tuple(answers),
        dropped=draft.dropped,
        transcripts=transcripts,
        matches=draft.sample.matches,
        sessions=fitted,
        generations=draft.generations,
    )


@dataclass(frozen=True)
class _Draft:
    """What is planned, whatever the model: who takes part, and what they are given."""

    caches: Sequence[PersonaCache]
    sample: Sample
    assignments: Sequence[Assignment]
    dropped: Mapping[str, str]

    @property
    def pending(self) -> tuple[GenerationRequest, ...]:
        """What a language model has still to write, each once."""
        every = (each for cache in self.caches for each in cache.pending)
        return tuple({each.id: each for each in every}.values())

    @property
    def generations(self) -> frozenset[str]:
        return frozenset().union(*(cache.requested for cache in self.caches))


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
    caches = [
        PersonaCache(study, strategy, items, _wordings(strategy, paraphrases))
        for strategy in strategies
    ]
    kept, dropped = _eligible(study, participants, items, caches, arms, dropped)
    if len(kept) < 2:
        reasons = "; ".join(f"{count:,} {why}" for why, count in Counter(dropped.values()).items())
        raise GeppettoError(
            f"{len(kept)} participants are left to compare arms on, and intervals need at least "
            f"two: {reasons or 'the sample has no more'}"
        )
    sample = Sample.of(study, kept, caches, arms)
    for label, quality in sample.matches.items():
        drawn = sample.donors[label, Matched.name]
        if len({study.people[name].cluster or (name,) for name in drawn}) < 2:
            raise GeppettoError(
                f"arm 'matched': {quality.matched:,} of {quality.participants:,} people have a "
                f"stranger {quality.alike} ({label}), and intervals need at least two who are in "
                "no group together; let a number differ, as in `matched: {caliper: {age: 2}}`, or "
                "remove the arm"
            )
    return _Draft(caches, sample, list(assignments(sample, caches, arms, items)), dropped)


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


def _eligible(  # noqa: C901  a branch for each reason to leave people out
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    caches: Sequence[PersonaCache],
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
    for cache in caches:
        made_it = cache.trained_on
        why = f"whose answers the program of {cache.label} was made from"
        dropped |= {person.id: why for person in participants if person.id in made_it}
        participants = [person for person in participants if person.id not in made_it]
    for cache in caches:
        left_out = [t for arm in arms if isinstance(arm, Knockout) for t in cache.left_out(arm)]
        for person in participants:
            if not cache.describes(person):
                why = cache.refused(person)
                dropped[person.id] = why or f"without anything that {cache.label} could show"
                continue
            for trait in left_out:
                if not cache.describes(person, trait):
                    why = cache.refused(person, trait)
                    nothing = f"without anything but {trait} that {cache.label} shows"
                    dropped[person.id] = why or nothing
    while True:
        kept = [person for person in participants if person.id not in dropped]
        mean = average(kept, study)
        clusters = {person.id: person.cluster for person in kept}
        for cache in caches:
            known = {person.id: cache.known(person) for person in kept}
            for arm in arms:
                if isinstance(arm, Shuffled):
                    for group in groups(known):
                        if not has_strangers(group, clusters, arm.donors):
                            why = f"without {arm.donors} donor(s) of whom the same is known"
                            dropped |= dict.fromkeys(group, f"{why} ({cache.label})")
                elif isinstance(arm, Average):
                    for person in kept:
                        if not cache.describes(averaged(person, mean)):
                            dropped[person.id] = (
                                f"for whom {cache.label} writes nothing of their average"
                            )
        if all(person.id not in dropped for person in kept):
            return kept, dropped
