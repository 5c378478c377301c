"""How often intervals hold the truth and tests are wrong, in invented studies with known truths.

The same simulations as in the tests, larger: 200 people x 20 items, two kinds of people, persons
alike in their answers. Run: make bench
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.baselines.skill import saved_part
from geppetto.evaluation.baselines.uninformed import folds_of
from geppetto.evaluation.differences import differences
from geppetto.evaluation.effects import effects
from geppetto.evaluation.individuation.matching import matching_matrix
from geppetto.evaluation.inference.interaction import interactions
from geppetto.evaluation.inference.mixed_model import mixed_model
from geppetto.evaluation.inference.permutation import permutation_test, sign_flip_p
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.inference.sample_size import basis_of
from geppetto.evaluation.inference.studentised import studentised
from geppetto.evaluation.lending import influence
from geppetto.evaluation.looks import Looks
from geppetto.evaluation.losses import quality_where_shown
from geppetto.personas.arms import SESSION_DONORS, Matched
from geppetto.planning.analysis_config import LEVEL, Analysis
from geppetto.studies.sessions.options import inferred
from geppetto.studies.sessions.parsing import parsed
from geppetto.studies.sessions.stretches import doubt
from invented import circle, predicted, responses, tilt_of, two_types
from invented_benefit import against
from invented_groups import by_contrast, unlike
from invented_matches import unequal
from invented_offers import Row, always, blocks, learning, machines, pairs, repeating
from invented_oracle import Oracle
from invented_samples import sampled

PEOPLE, ITEMS = 200, 20


def row(what: str, value: float, runs: int, aim: str) -> None:
    """A line with a share and its simulation error."""
    error = np.sqrt(max(value * (1 - value), 1e-9) / runs)
    print(f"{what:68} {value:7.2%} ± {error:.2%}   {aim}")


def coverage(runs: int, rng: np.random.Generator) -> None:
    """Intervals of a mean of answers that are alike within people (ICC 0.5)."""
    held = {"percentile": 0, "bca": 0, "over answers": 0}
    for run in range(runs):
        cells = rng.normal(size=(PEOPLE, 1)) + rng.normal(size=(PEOPLE, ITEMS))
        people = Resampling.of(PEOPLE, draws=1000, seed=run)
        for method in ("percentile", "bca"):
            found = estimate(mean, cells.mean(1), people=people, method=method)
            held[method] += found.low <= 0 <= found.high
        held["over answers"] += abs(cells.mean()) <= 1.96 * cells.std(ddof=1) / np.sqrt(cells.size)
    for method, count in held.items():
        aim = "aim 93-97%" if method != "over answers" else "what counting answers would do"
        row(f"intervals that hold the truth, person ICC 0.5, {method}", count / runs, runs, aim)


def information(planted: float, runs: int, rng: np.random.Generator) -> None:
    """Interval, permutation test and equivalence test of information, and its bias."""
    tilt = tilt_of(planted, PEOPLE) if planted else 1e-9
    values, held, rejected, equivalent = [], 0, 0, 0
    for run in range(runs):
        found = two_types(rng, PEOPLE, ITEMS, tilt, own_tilt=0.1)
        if not planted:
            found = two_types(rng, PEOPLE, ITEMS, 0.07, own_tilt=0.1, told=False)
        (effect,) = (d for d in differences(found) if d.contrast.name == "information")
        people = Resampling.of(PEOPLE, draws=1000, seed=run)
        nats = estimate(mean, effect.influence, people=people)
        values.append(nats.value)
        held += nats.low <= planted <= nats.high
        strangers, own = found[1:]
        rejected += (
            permutation_test(matching_matrix(own), 999, run, donors=strangers.donors).p <= 0.05
        )
        (over_people,) = studentised(effect.influence, people)
        equivalent += over_people.p_within(0.02) <= 0.05
    spread = np.std(values, ddof=1) / np.sqrt(runs)
    print(f"information of {planted:g} nats beside a format effect")
    print(f"{'  mean estimate':68} {np.mean(values):+.5f} ± {spread:.5f}")
    row("  intervals that hold it", held / runs, runs, "aim 93-97%")
    aim = "power" if planted else "aim 3.5-6.5%"
    row("  permutation tests that reject", rejected / runs, runs, aim)
    aim = "size, aim below 6.5%" if planted else "power"
    row("  equivalence tests within 0.02 nats", equivalent / runs, runs, aim)


# Matched strangers


def matched_strangers(people: int, runs: int, rng: np.random.Generator) -> None:
    """Verdicts on `individual` of models that know no more of real people than demographics."""
    oracle, analysis = Oracle(), Analysis(draws=400)
    told = oracle.known
    for what, caliper, noise, donors, whole in (
        ("exact", {}, (0.0, 0.0), 1, True),
        ("age within 2", {"age": 2.0}, (0.0, 0.0), 1, True),
        ("age within 5", {"age": 5.0}, (0.0, 0.0), 1, True),
        ("any age, among the sample", {"age": 100.0}, (0.0, 0.0), 1, False),
        ("exact, texts do more", {}, (0.3, 0.5), 1, True),
        ("exact, texts do more, 3 strangers", {}, (0.3, 0.5), 3, True),
    ):
        decided, held, have = 0, 0, 0
        for run in range(runs):
            sample = rng.choice(oracle.complete, people, replace=False)
            here = {oracle.ids[row]: told[oracle.ids[row]] for row in sample}
            oracle.known = told if whole else here
            arm = Matched(caliper=caliper, donors=donors, seed=run)
            drawn = oracle.strangers(sample, arm)
            predicted = oracle.predictions(*noise, rng)
            verdict = oracle.verdict(sample, drawn, predicted, analysis)
            decided += verdict.found not in ("equivalent to nothing", "undecided")
            held += verdict.effect.nats.low <= 0 <= verdict.effect.nats.high
            have += len(drawn)
        oracle.known = told
        aim = "aim below 6.5%" if whole else "what is left of age"
        row(f"individual of {people} people, {what}: verdicts", decided / runs, runs, aim)
        row("  intervals that hold 0", held / runs, runs, "aim 93-97%, 100% where all is 0")
        print(f"{'  people who have a match':68} {have / runs / people:7.2%}")


# Verdicts of populations that mislead: with a mean of 0, and at the bound of equivalence.


def misleading(people: int, rng: np.random.Generator) -> dict[str, Floats]:
    """What each person adds, of mean 0, in populations with skew, rare people and heavy tails."""
    gamma = rng.gamma(0.64, size=people) - 0.64
    found = {"normal": rng.normal(size=people), "skewness 2.5": gamma, "skewness -2.5": -gamma}
    for sigma in (1.0, 1.5):
        values = rng.lognormal(0, sigma, people) - np.exp(sigma**2 / 2)
        found |= {f"lognormal {sigma:g}": values, f"minus lognormal {sigma:g}": -values}
    for share in (0.02, 0.05):
        for sd in (0.05, 1.0):
            rare = rng.random(people) < share
            others = 20 * share / (1 - share) + rng.normal(0, sd, people)
            found[f"{share:.0%} lose 20, others' sd {sd:g}"] = np.where(rare, -20.0, others)
    return found | {f"t({df})": rng.standard_t(df, people) for df in (2, 3)}


def verdicts(people: int, runs: int, rng: np.random.Generator) -> None:
    """How often intervals miss, and verdicts err or are withheld, of so many people.

    What somebody could lose or gain is known, as it is of what a model says: as much as anybody
    does among 10,000 people.
    """
    counts: dict[str, Floats] = {}
    drawn = Resampling.of(people, draws=1000)
    possible = {name: (-all_.min(), all_.max()) for name, all_ in misleading(10_000, rng).items()}
    for _ in range(runs):
        for name, values in misleading(people, rng).items():
            low, high = (of := studentised(values, drawn)[0]).ends(LEVEL)
            rests_on = basis_of(of, drawn)
            missed = low > 0 or high < 0
            reach = possible[name][0 if of.value > 0 else 1]
            others = rests_on.undone_by_others(Estimate(of.value, low, high), reach)
            wrong = missed and not rests_on.too_few and not others
            wrong = wrong and sign_flip_p(values[:, None], drawn, 999)[0] < LEVEL
            bound = 20 * values.std()
            (moved,) = studentised(values + bound, drawn)
            equivalent = moved.p_within(bound) < LEVEL and not rests_on.too_few_for_equivalence
            told = [missed, bool(rests_on.too_few), wrong, equivalent]
            counts[name] = counts.get(name, np.zeros(4)) + told
    print(f"verdicts of {people} people whose true mean is 0, or the bound")
    for name, count in counts.items():
        missed, withheld, wrong, equivalent = count / runs
        row(f"  {name}: verdicts that err (withheld {withheld:.0%})", wrong, runs, "aim below 7%")
        row(f"  {name}: intervals that miss", missed, runs, "")
        row(f"  {name}: wrongly equivalent", equivalent, runs, "aim below 6.5%")


# What was on offer in sessions


def offers(runs: int) -> None:
    """How often options are doubted: where all were on offer, and where some were not."""
    follows = ".\n{chosen} paid {points}, {other} would have paid 1.\n"
    fine = {
        "at random": {},
        "at random, eight options": {"offers": always(120), "number": 8},
        "by learning": {"choose": learning(8)},
        "by learning, surely": {"choose": learning(20)},
        "by repeating 90%": {"choose": repeating(0.9)},
        "by learning, feedback names options": {"choose": learning(8), "after": follows},
        "by repeating 90%, feedback names options": {"choose": repeating(0.9), "after": follows},
    }
    some = {
        "two of three in a block, announced": {"offers": blocks((0, 1), (0, 1, 2))},
        "two of three in each block, silently": {
            "offers": blocks((0, 1), (1, 2), (0, 2), silent=True)
        },
        "the same, by learning": {
            "offers": blocks((0, 1), (1, 2), (0, 2), silent=True),
            "choose": learning(8),
        },
        "two of four in each trial, announced": {"offers": pairs(), "number": 4},
    }
    for people in (1, 5, 30):
        for aim, worlds in (("aim at most 1%", fine), ("power", some)):
            for what, world in worlds.items():
                told = (
                    doubted(machines(**({"offers": always()} | world), people=people, seed=seed))
                    for seed in range(runs)
                )
                share = sum(reason is not None for reason in told) / runs
                row(f"options doubted, {people} people, {what}", share, runs, aim)


def doubted(rows: list[Row]) -> str | None:
    """Why the options of invented sessions are doubted."""
    sessions = {str(each["participant"]): parsed(each["text"]) for each in rows}
    of = inferred({"e": {name: one.responses for name, one in sessions.items()}}).of
    return doubt(sessions, of)


# What is told of sessions, samples and unequal items


def sessions(runs: int, rng: np.random.Generator) -> None:
    """How much wider intervals of information are than they should be, by how many strangers."""
    for people in (30, 60, 100, 200):
        for strangers in (1, 2, 3, SESSION_DONORS, 5):
            found = []
            for _ in range(runs):
                persona, person = rng.normal(0, 0.3, (2, people))
                distances = rng.choice(np.arange(1, people), strangers, replace=False)
                donors = circle(people, tuple(distances), rng)
                shuffled = person + persona[donors] + rng.normal(0, 0.12, donors.shape)
                own = person + persona + rng.normal(0, 0.12, people)
                each = influence(shuffled, donors, quality_where_shown(shuffled, donors)) - own
                value = (shuffled.mean(0) - own).mean()
                found.append((value, each.std(ddof=1) / np.sqrt(people)))
            values, errors = np.array(found).T
            ratio = np.sqrt(np.mean(errors**2)) / values.std()
            held = np.mean(np.abs(values) <= stats.t.ppf(0.975, people - 1) * errors)
            what = f"sessions of {people}, {strangers} strangers: claimed/true SE {ratio:.2f}"
            row(what, held, runs, "interval holds the truth, aim 93-99%")


def samples(runs: int, rng: np.random.Generator, people: int = 40) -> None:
    """Identical personas, three samples an answer: tests of information by the Brier score."""
    whole = Resampling.of(people, draws=5)
    for strangers in (1, 3, 9):
        rejected = 0
        for _ in range(runs):
            base = rng.dirichlet(np.full(4, 0.5), 6).clip(1e-9)
            base /= base.sum(-1, keepdims=True)
            position = (base.cumsum(-1) < rng.random((people, 6, 1))).sum(-1).clip(0, 3)
            distances = rng.choice(np.arange(1, people), strangers, replace=False)
            donors = circle(people, tuple(distances), rng)
            given, same = responses(position, 4), np.tile(base, (people, 1, 1))
            arms = predicted(given, "shuffled", same, donors), predicted(given, "own", same)
            (one,) = differences([sampled(arm, 3, rng) for arm in arms], "brier")
            rejected += sign_flip_p(one.influence[:, None], whole, permutations=999)[0] <= 0.05
        row(f"samples, {strangers} strangers, nothing to tell", rejected / runs, runs, "3.5-6.5%")


def unequal_items(runs: int, rng: np.random.Generator) -> None:
    """Heavy-tailed personas that match nobody, of people who skip items, also for what they are."""
    for people in (40, 100):
        rejected = 0
        for _ in range(runs):
            (one,) = differences(unequal(rng, people))
            drawn = Resampling.of(len(one.rows), draws=5)
            rejected += sign_flip_p(one.influence[:, None], drawn, permutations=999)[0] <= 0.05
        row(f"unequal items, {people} people, nothing to tell", rejected / runs, runs, "3.5-6.5%")


def looks(runs: int, rng: np.random.Generator) -> None:
    """Growing a sample from 20 people to 100 by tens, and twenty strategies one after the other.

    Differences of people are normal, so that what a single test does wrong has no part in it.
    """
    sizes = range(20, 101, 10)
    grown = np.empty((runs, len(sizes)))
    for run in range(runs):
        values = rng.normal(size=(100, 1))
        for place, people in enumerate(sizes):
            drawn = Resampling.of(people, draws=200)
            grown[run, place] = sign_flip_p(values[:people], drawn, 1999, seed=run)[0]
    tried = np.empty((runs, 20))
    for run in range(runs):
        tried[run] = sign_flip_p(rng.normal(size=(60, 20)), Resampling.of(60, draws=200), seed=run)
    for what, p in (("growing from 20 to 100 by tens", grown), ("20 strategies in turn", tried)):
        times = np.array([Looks(place + 1).times for place in range(p.shape[1])])
        for how, factor in (("not counted", 1), ("at 5%/k", np.sqrt(times)), ("at 5%/k²", times)):
            aim = "aim below 6.5%" if how == "at 5%/k²" and p is grown else ""
            row(f"false verdicts, {what}, {how}", (p * factor < 0.05).any(1).mean(), runs, aim)


# Rivals that are chosen, and other items.


def skill_of_equal_rivals(runs: int, rng: np.random.Generator) -> None:
    """Half of what four equal and independent rivals save, 100 people."""
    shares, held, folds = [], 0, folds_of(np.arange(100))
    for run in range(runs):
        none = np.full(100, 2.0)
        own = none - 0.05 + rng.normal(0, 0.15, 100)
        rivals = none[:, None] - 0.1 + rng.normal(0, 0.15, (100, 4))
        people = Resampling.of(100, draws=500, seed=run)
        share = estimate(saved_part, none, own, rivals, folds, people=people)
        shares.append(share.value)
        held += share.low <= 0.5 <= share.high
    row("skill, true 50%: median", float(np.median(shares)), runs, "48-52%")
    row("skill: 95% interval", held / runs, runs, "93-97%")


def other_items(items: int, runs: int, rng: np.random.Generator) -> None:
    """Intervals of the mixed model where people, items and cells have lognormal effects."""
    held = 0
    person, item = np.divmod(np.arange(100 * items), items)
    for _ in range(runs):
        of_people, of_items, rest = (rng.lognormal(size=n) for n in (100, items, 100 * items))
        cells = 0.05 * of_people[person] + 0.05 * of_items[item] + 0.3 * rest
        mean_of_all = (0.05 + 0.05 + 0.3) * np.exp(0.5)
        found = mixed_model(cells, {"people": person, "items": item}).mean
        held += found.low <= mean_of_all <= found.high
    row(f"mixed model over {items} skewed items: 95% interval", held / runs, runs, "93-97%")


# Groups of people, and what knows nothing of them


def groups_of_people(runs: int, rng: np.random.Generator) -> None:
    """Personas that predict everybody well or badly, men's better, and that match nobody."""
    for people in (30, 100):
        men = np.arange(people) < people // 3
        told: dict[str, list[float]] = {}
        for run in range(runs):
            found = unlike(rng, people, gap=0.2)
            half = np.sort(rng.permutation(people)[: people // 2])
            everybody = Resampling.of(people, draws=500, seed=run)
            parts = {"men": np.flatnonzero(men), "women": np.flatnonzero(~men), "half": half}
            for name, rows in parts.items():
                (effect,) = effects([by_contrast(found, rows)["information"]], everybody)
                told.setdefault(f"{name}, intervals that hold 0", []).append(
                    not effect.nats.excludes_zero()
                )
            whole = by_contrast(found)["information"]
            either = {name: parts[name] for name in ("men", "women")}
            for change in interactions([whole], either, everybody):
                told.setdefault("tests that find a difference", []).append(change.p < LEVEL)
        for what, hits in told.items():
            aim = "aim 3-7%" if what.startswith("tests") else "aim 93-97%"
            row(f"information among {people} people: {what}", float(np.mean(hits)), runs, aim)


def benefit(runs: int, rng: np.random.Generator) -> None:
    """Own personas and three rivals that are about equally good."""
    for people in (60, 200):
        for apart in (0.0, 0.1):
            helped = missed = 0
            for run in range(runs):
                costs = rng.normal(size=(3, people)) + apart * np.arange(3)[:, None]
                drawn = Resampling.of(people, draws=500, seed=run)
                verdict = against(costs, rng.normal(size=people), drawn)
                helped += verdict.finding == "positive"
                missed += verdict.effect.nats.excludes_zero()
            what = f"benefit of {people} people, rivals {apart:g} apart"
            row(f"{what}: helps where it does not", helped / runs, runs, "aim below 3.5%")
            row(f"{what}: intervals that miss", missed / runs, runs, "aim below 7%")


def main() -> None:
    """Print what the simulations find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    for people in (60, 100, 150, 200):
        verdicts(people, runs, np.random.default_rng(people))
    rng = np.random.default_rng(0)
    coverage(runs, rng)
    information(0.0, runs, rng)
    information(0.02, runs, rng)
    for people in (80, 200):
        matched_strangers(people, runs, rng)
    offers(runs)
    sessions(runs, rng)
    samples(runs, rng)
    unequal_items(runs, rng)
    looks(runs, rng)
    skill_of_equal_rivals(runs, rng)
    for items in (10, 25):
        other_items(items, runs, rng)
    groups_of_people(runs, rng)
    benefit(runs, rng)


if __name__ == "__main__":
    main()
