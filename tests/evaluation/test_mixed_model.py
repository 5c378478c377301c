"""The mixed model against statsmodels, dense algebra, the analysis of variance and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from geppetto.evaluation.inference.mixed_model import _deviance, _Sums, mixed_model
from invented import crossed


def test_it_is_the_model_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    y, person, item = crossed(30, 8, (0.7, 0.6, 1.0), rng)
    kept = rng.random(len(y)) < 0.8
    found = mixed_model(np.where(kept, y, np.nan), {"participant": person, "item": item})
    table = pd.DataFrame({"y": y, "p": person, "i": item, "g": 1})[kept]
    model = MixedLM.from_formula(
        "y ~ 1", table, groups="g", vc_formula={"i": "0 + C(i)", "p": "0 + C(p)"}
    )
    other = model.fit(reml=True, method="lbfgs")
    assert other.converged
    assert found.mean.value == pytest.approx(other.fe_params["Intercept"], abs=1e-4)
    assert found.standard_error == pytest.approx(other.bse["Intercept"], rel=1e-3)
    components = [found.variances[name] for name in ("item", "participant", "residual")]
    assert components == pytest.approx([*other.vcomp, other.scale], rel=2e-3)


def test_the_likelihood_is_that_of_the_whole_covariance_matrix() -> None:
    """Three crossed factors, missing cells, and a mean far from 0."""
    rng = np.random.default_rng(1)
    codes = [rng.integers(0, levels, 60) for levels in (12, 5, 3)]
    y = 50 + rng.normal(size=60) + rng.normal(size=12)[codes[0]]
    variances = [0.7, 0.5, 0.2, 1.3]
    v = variances[3] * np.eye(60)
    for code, variance in zip(codes, variances, strict=False):
        v += variance * (code[:, None] == code)
    inverse, ones = np.linalg.inv(v), np.ones(60)
    precision = ones @ inverse @ ones
    error = y - ones @ inverse @ y / precision
    expected = np.linalg.slogdet(v)[1] + np.log(precision) + error @ inverse @ error
    logs = np.log([variances[3], *(x / variances[3] for x in variances[:3])])
    found = _deviance(logs, _Sums.of(y, codes, [12, 5, 3]))
    assert found == pytest.approx(expected)


def test_balanced_data_have_the_variances_of_the_analysis_of_variance() -> None:
    y, person, item = crossed(25, 9, (0.6, 0.5, 1.0), np.random.default_rng(2))
    table = y.reshape(25, 9)
    of_people = 9 * table.mean(axis=1).var(ddof=1)
    of_items = 25 * table.mean(axis=0).var(ddof=1)
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    residual = (rest**2).sum() / (24 * 8)
    found = mixed_model(y, {"participant": person, "item": item})
    expected = {
        "participant": (of_people - residual) / 9,
        "item": (of_items - residual) / 25,
        "residual": residual,
    }
    assert found.variances == pytest.approx(expected, rel=1e-3)
    assert found.mean.value == pytest.approx(y.mean())
    variance = (of_people + of_items - residual) / y.size
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=1e-3)
    satterthwaite = (of_people + of_items - residual) ** 2 / (
        of_people**2 / 24 + of_items**2 / 8 + residual**2 / (24 * 8)
    )
    assert found.degrees == pytest.approx(satterthwaite, rel=0.02)


def test_a_single_random_factor_is_a_t_test_of_its_means() -> None:
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(15), 4)
    y = rng.normal(size=15)[person] + rng.normal(size=60)
    found = mixed_model(y, {"participant": person, "item": np.zeros(60)})
    means = y.reshape(15, 4).mean(axis=1)
    assert set(found.variances) == {"participant", "residual"}
    assert found.standard_error == pytest.approx(means.std(ddof=1) / np.sqrt(15), rel=1e-3)
    assert found.degrees == pytest.approx(14, rel=0.02)


def test_no_order_and_no_name_matters() -> None:
    rng = np.random.default_rng(6)
    y, person, item = crossed(20, 6, (0.5, 0.4, 1.0), rng)
    order = rng.permutation(y.size)
    one = mixed_model(y, {"participant": person, "item": item})
    other = mixed_model(y[order], {"item": -item[order], "participant": (person * 7 % 23)[order]})
    assert other.mean.low == pytest.approx(one.mean.low, abs=1e-4)
    assert other.variances == pytest.approx(one.variances, rel=1e-3)


def test_no_difference_at_all_has_no_error() -> None:
    found = mixed_model(np.zeros(12), {"participant": np.repeat(np.arange(4), 3)})
    assert (found.mean.low, found.mean.high, found.standard_error) == (0, 0, 0)


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="every participant has one value"):
        mixed_model(np.arange(5.0), {"participant": np.arange(5), "item": [0, 0, 0, 1, 1]})
    with pytest.raises(ValueError, match="at least two levels"):
        mixed_model([1.0, np.nan], {"participant": [1, 2]})
