"""The best of several rivals, chosen on other people."""

import numpy as np

from geppetto.evaluation.baselines.uninformed import (
    FOLDS,
    best_elsewhere,
    chosen_elsewhere,
    folds_of,
)


def test_clusters_are_whole_in_folds_of_about_equal_number() -> None:
    clusters = np.repeat(np.arange(23), 3)
    folds = folds_of(clusters)
    assert all(len(set(folds[clusters == cluster])) == 1 for cluster in range(23))
    assert sorted(np.bincount(folds[::3])) == [11, 12]
    assert (folds_of(clusters) == folds).all()
    assert set(folds_of(np.arange(2))) == {0, 1}
    assert len(set(folds_of(np.arange(100)))) == FOLDS


def test_a_persons_own_fold_has_no_part_in_the_choice() -> None:
    folds = np.array([0, 0, 1, 1])
    costs = np.array([[0.0, 0.0, 5.0, 5.0], [1.0, 1.0, 1.0, 1.0]])  # good only for the first fold
    assert chosen_elsewhere(costs, folds, np.ones(4)).tolist() == [1, 1, 0, 0]


def test_weights_count_and_missing_costs_do_not() -> None:
    folds = np.array([0, 1, 1])
    costs = np.array([[9.0, 0.0, 3.0], [9.0, 1.0, 1.0]])
    assert chosen_elsewhere(costs, folds, np.array([1.0, 1.0, 1.0]))[0] == 1
    assert chosen_elsewhere(costs, folds, np.array([1.0, 9.0, 1.0]))[0] == 0
    costs[0, 1] = np.nan
    assert chosen_elsewhere(costs, folds, np.array([1.0, 9.0, 1.0]))[0] == 1
    costs[:, 1:] = np.nan  # nobody else says anything: the first
    assert chosen_elsewhere(costs, folds, np.ones(3))[0] == 0


def test_equal_rivals_save_nothing() -> None:
    rng = np.random.default_rng(0)
    selection_optimism, chosen = [], []
    for _ in range(400):
        costs = rng.normal(size=(4, 50))
        best = chosen_elsewhere(costs, folds_of(np.arange(50)), np.ones(50))
        chosen.append(costs[best, np.arange(50)].mean())
        selection_optimism.append(costs.mean(axis=1).min())
    assert abs(np.mean(chosen)) < 3 * np.std(chosen) / 20 < 0.03
    assert (
        np.mean(selection_optimism) < -0.12
    )  # chosen in the sample itself it looks better than it is


def test_draws_of_people_choose_again() -> None:
    rng = np.random.default_rng(2)
    costs, folds = rng.normal(size=(3, 40)), folds_of(np.arange(40))
    weights = rng.multinomial(40, np.full(40, 1 / 40), size=50).astype(float)
    sums = [
        weight @ costs[chosen_elsewhere(costs, folds, weight), np.arange(40)] for weight in weights
    ]
    assert np.allclose(best_elsewhere(weights, costs.T, folds), sums)
