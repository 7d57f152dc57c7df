"""Which radar seasons may learn from which outlines, and which of them are held out together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import shapely
from affine import Affine

from workers.imagery import rasters
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.learning import season_truth
from workers.learning.season_truth import KnownSeason
from workers.learning.truth import KnownOutline, KnownScene, NothingToLearn

GRID = Grid("EPSG:32633", Affine(30, 0, 480_000, 0, -30, 8_700_000), 16, 16)
BOX = GRID.footprint()
HALF = shapely.box(BOX.bounds[0], BOX.bounds[1], BOX.centroid.x, BOX.bounds[3])


@pytest.fixture
def season(tmp_path):
    def made(year: int, acquisitions: int = 5) -> KnownSeason:
        scenes = []
        for number in range(acquisitions):
            when = datetime(year, 7, 10, tzinfo=UTC) + timedelta(days=24 * number)
            path = tmp_path / f"{when:%Y%m%d}.tif"
            rasters.write(Stack(np.full((2, 16, 16), 0.1 + number), ("co_pol", "coherence"), GRID), path)
            scenes.append(KnownScene(path.stem, path, when, when.date(), when.date()))
        return KnownSeason(tuple(scenes), scenes[min(2, acquisitions - 1)], 78.0, year)

    return made


def outline(year: int, glacier: str = "A", shape=HALF) -> KnownOutline:
    return KnownOutline(glacier, shape, date(year, 9, 1), date(year, 9, 1))


def test_seasons_that_share_an_outline_are_held_out_together(season):
    found = season_truth.samples([season(y) for y in (2014, 2015, 2016)], [outline(2015)], {"A": BOX})
    assert [sample.group for _, sample in found] == ["2015"] * 3
    assert [sample.year for _, sample in found] == [2014, 2015, 2016]
    with pytest.raises(NothingToLearn, match=r"3 different years .* the 3 seasons here have outlines of 2015\."):
        season_truth.require_truths([sample for _, sample in found])


def test_a_sample_carries_every_scene_with_its_date_and_the_outlines_as_pixels(season):
    ((key, sample),) = season_truth.samples([season(2015)], [outline(2015)], {"A": BOX})
    assert key == "20150827" and sample.stack.acquired.date() == date(2015, 8, 27)
    assert [stack.acquired.day for stack in sample.stacks] == [10, 3, 27, 20, 14]
    assert sample.truth.mean() == pytest.approx(0.5, abs=0.1)
    assert sample.domains["A"].all()


def test_a_season_far_from_every_outline_or_with_an_unmapped_glacier_teaches_nothing(season):
    with pytest.raises(NothingToLearn, match="none of 1 radar seasons lies within 400 days"):
        season_truth.samples([season(2018)], [outline(2015)], {"A": BOX})
    with pytest.raises(NothingToLearn, match="outlines of all 2 glaciers"):
        season_truth.samples([season(2015)], [outline(2015)], {"A": BOX, "B": BOX})


def test_outlines_of_three_years_are_enough(season):
    some = season_truth.samples([season(y) for y in (2010, 2015, 2020)], [outline(y) for y in (2010, 2015, 2020)],
                                {"A": BOX})  # fmt: skip
    season_truth.require_truths([sample for _, sample in some])


def test_a_season_that_lacks_more_than_a_fifth_is_left_out_by_its_year(season):
    kept, told = season_truth.complete([season(2014, 4), season(2015, 3)], 5)
    assert [one.year for one in kept] == [2014]
    assert told == ["season 2015 left out: 3 of 5 acquisitions"]
