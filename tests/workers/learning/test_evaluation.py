"""What may count as measured: figures of what had taught are kept apart."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from affine import Affine
from sklearn.metrics import jaccard_score

from workers.imagery.cubes import Cube
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.learning import evaluation
from workers.learning.mapping_report import judge
from workers.learning.samples import SegmentSample, split_groups

GRID = Grid("EPSG:32632", Affine(30, 0, 500_000, 0, -30, 5_100_000), 20, 20)


def judged(wrong: int, group: str = "2019"):
    truth = np.zeros((20, 20), np.float32)
    truth[:10] = 1
    probability = truth.copy()
    probability.ravel()[:wrong] = 0
    sample = SegmentSample(Stack(np.zeros((1, 20, 20)), ("nir",), GRID), truth, group)
    return judge(probability, sample), jaccard_score(truth.ravel(), probability.ravel())


def test_figures_come_from_what_was_not_seen_and_the_rest_stands_apart():
    good, of_good = judged(10)
    bad, of_bad = judged(150)
    found = evaluation.mapping([("unseen", bad), ("seen", good)])
    assert found["overall"]["iou"] == pytest.approx(of_bad)
    assert found["seen_in_training"]["pooled"]["iou"] == pytest.approx(of_good)
    assert found["scenes"] == {"unseen": 1, "seen": 1}
    assert "1 of 2 scenes were seen" in evaluation.remarks(found)[0]


def test_a_held_out_fold_counts_like_an_unseen_scene():
    one, iou = judged(40)
    found = evaluation.mapping([("held_out", one)])
    assert found["overall"]["iou"] == pytest.approx(iou)
    assert evaluation.remarks(found) == []


def test_the_card_is_not_filled_with_long_lists():
    found = evaluation.mapping([("unseen", judged(5)[0])])
    assert not {"area_errors", "area_sizes_km2", "slope_errors"} & set(found)


def test_a_network_never_saw_its_test_groups_and_a_forest_saw_all():
    groups = [str(year) for year in range(2000, 2010)]
    test = {group for group, one in split_groups(groups, 7).items() if one == "test"}
    assert test
    assert evaluation.taught_groups(groups, 7, "resunet") == set(groups) - test
    assert evaluation.taught_groups(groups, 7, "random-forest") == set(groups)


def quarters(count: int) -> tuple[date, ...]:
    return tuple(date(2010 + n // 4, 1 + 3 * (n % 4), 1) for n in range(count))


@pytest.mark.parametrize(("issued", "seen"), [(15, True), (16, False), (19, False)])
def test_a_forecaster_had_seen_all_but_the_last_fifth_of_the_record_that_taught_it(issued, seen):
    frames = {"valley": [day.isoformat() for day in quarters(20)]}
    past = SimpleNamespace(issued=(quarters(20)[issued],), leads=4)
    assert evaluation.frames_taught(frames, "valley", past) is seen
    assert evaluation.frames_taught(frames, "elsewhere", past) is False


def test_a_span_without_a_frame_and_a_spatial_transfer_are_refused_by_name():
    values = np.zeros((8, 4, 4), np.float32)
    cube = Cube(values, quarters(8), 3, (1,) * 8, ("observed",) * 8, GRID)
    learned = SimpleNamespace(recipe=SimpleNamespace(options={}))
    with pytest.raises(ValueError, match=r"no frame .* lies between 2020-01-01 and None"):
        evaluation.hindcast_within(learned, cube, date(2020, 1, 1), None)
    learned.recipe.options["spatial_transfer"] = True
    with pytest.raises(ValueError, match="a spatial transfer was scored once"):
        evaluation.hindcast_within(learned, cube, None, None)
