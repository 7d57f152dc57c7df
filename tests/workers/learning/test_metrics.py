"""Metrics against scikit-learn and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from workers.learning import metrics


@pytest.fixture
def maps():
    rng = np.random.default_rng(1)
    return rng.random((40, 50)), (rng.random((40, 50)) < 0.4).astype(float)


def test_ratios_agree_with_scikit_learn(maps):
    probability, truth = maps
    found = metrics.confusion(probability, truth)
    y, p = truth.ravel() > 0.5, probability.ravel() >= 0.5
    assert found.precision == pytest.approx(precision_score(y, p))
    assert found.recall == pytest.approx(recall_score(y, p))
    assert found.f1 == pytest.approx(f1_score(y, p))
    assert found.iou == pytest.approx(jaccard_score(y, p)) == pytest.approx(found.f1 / (2 - found.f1))


def test_unknown_pixels_are_not_counted(maps):
    probability, truth = maps
    probability[:10] = np.nan
    truth[:, :5] = np.nan
    found = metrics.confusion(probability, truth)
    assert found.tp + found.fp + found.fn + found.tn == 30 * 45


def test_a_probability_of_exactly_one_half_is_glacier():
    assert metrics.confusion(np.array([[0.5]]), np.array([[1.0]])).tp == 1


def test_nothing_in_truth_and_prediction_is_undefined_and_not_a_success():
    nothing = metrics.confusion(np.zeros((3, 3)), np.zeros((3, 3)))
    assert all(math.isnan(v) for v in (nothing.precision, nothing.recall, nothing.f1, nothing.iou))
    mean = metrics.per_glacier_mean([nothing, metrics.Confusion(3, 1, 0, 5)])
    assert mean["iou"] == pytest.approx(3 / 4) and mean["iou_undefined"] == 1


def test_a_region_pools_its_pixels_and_the_mean_over_regions_has_the_population_sd():
    alps = [metrics.Confusion(8, 1, 1, 0), metrics.Confusion(1, 0, 9, 0)]
    counts = {"ALP": alps, "NZ": [metrics.Confusion(5, 0, 5, 0)]}
    found = metrics.per_region(counts)
    assert found["regions"]["ALP"]["iou"] == pytest.approx(9 / 20)
    assert found["iou_mean"] == pytest.approx(np.mean([0.45, 0.5]))
    assert found["iou_sd"] == pytest.approx(np.std([0.45, 0.5]))


def test_published_regional_means_and_deviations_are_those_of_this_rule():
    for iou, mean, sd in (((0.678, 0.689, 0.635, 0.699, 0.908, 0.702), 0.718, 0.088),
                          ((0.843, 0.803, 0.837, 0.833, 0.955, 0.829), 0.850, 0.049),
                          ((0.844, 0.812, 0.864, 0.855, 0.952, 0.866), 0.866, 0.043)):
        found = metrics.per_region({str(k): [metrics.Confusion(round(v * 1000), 1000 - round(v * 1000), 0, 0)]
                                    for k, v in enumerate(iou)})
        assert found["iou_mean"] == pytest.approx(mean, abs=6e-4) and found["iou_sd"] == pytest.approx(sd, abs=6e-4)


def test_boundaries_of_concentric_squares_lie_as_far_apart_as_drawn():
    truth = np.zeros((60, 60), bool)
    truth[10:50, 10:50] = True
    larger = np.zeros((60, 60), bool)
    larger[7:53, 7:53] = True
    found = metrics.boundary_distance_m(larger, truth, pixel_m=30)
    assert 90 <= found["mean"] <= 90 * math.sqrt(2)
    assert metrics.boundary_distance_m(larger, truth, pixel_m=(10, 10))["mean"] == pytest.approx(found["mean"] / 3)
    assert metrics.boundary_distance_m(truth, truth, 30) == {"mean": 0, "p95": 0}
    assert math.isnan(metrics.boundary_distance_m(truth, np.zeros_like(truth), 30)["mean"])


def test_boundaries_agree_with_all_distances_taken_one_by_one():
    rng = np.random.default_rng(11)
    masks = [rng.random((23, 31)) < 0.3 for _ in range(2)]
    places = []
    for mask in masks:
        around = np.pad(mask, 1)
        inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
        places.append(np.argwhere(mask & ~inner) * (40, 10))
    apart = np.hypot(*(places[0][:, None] - places[1][None]).transpose(2, 0, 1))
    every = np.concatenate([apart.min(axis=1), apart.min(axis=0)])
    found = metrics.boundary_distance_m(*masks, pixel_m=(40, 10))
    assert found == pytest.approx({"mean": every.mean(), "p95": np.percentile(every, 95)})


def test_the_edge_of_what_was_observed_is_no_boundary():
    truth = np.zeros((40, 40))
    truth[10:30, 10:30] = 1
    said = truth.copy()
    said[10:30, 27:30] = 0                              # the eastern margin drawn 3 px too far inside
    whole = metrics.boundary_distance_m(said, truth, 30)
    said[:18] = np.nan                                  # clouds over the north, where the margins agree
    seen = metrics.boundary_distance_m(said, truth, 30)
    assert seen["mean"] > whole["mean"]
    assert math.isnan(metrics.boundary_distance_m(np.full((9, 9), np.nan), np.ones((9, 9)), 30)["p95"])


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        metrics.confusion(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="one shape"):
        metrics.boundary_distance_m(np.zeros((2, 3)), np.zeros((3, 2)), 30)


def test_area_error_is_relative_to_the_reference():
    assert metrics.relative_area_error(11, 10) == pytest.approx(0.1)
    assert math.isnan(metrics.relative_area_error(1, 0))
