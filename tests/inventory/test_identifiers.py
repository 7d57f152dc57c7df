"""GLIMS identifiers against the published test points."""

from __future__ import annotations

import pytest
import shapely

from inventory.identifiers import derived_id, glims_id, is_glims_id

PUBLISHED = [
    (0, 0, "G000000E00000N"), (360, 10, "G000000E10000N"), (-180, 90, "G180000E90000N"),
    (-181, 89.9999, "G179000E90000N"), (-0.1, 0.1, "G359900E00100N"), (8.8145, 46.73633, "G008815E46736N"),
    (-125.22383, 49.20283, "G234776E49203N"), (-78.42, -1.65333, "G281580E01653S"),
]  # fmt: skip


@pytest.mark.parametrize(("lon", "lat", "expected"), PUBLISHED)
def test_identifiers_follow_the_decision_of_2002(lon, lat, expected):
    assert glims_id(lon, lat) == expected
    assert is_glims_id(expected)


@pytest.mark.parametrize("wrong", ["G360000E00000N", "G000000E90001N", "G007026E45991", "g007026e45991n", ""])
def test_ill_formed_identifiers_are_recognised(wrong):
    assert not is_glims_id(wrong)


def test_a_taken_identifier_moves_one_thousandth_east():
    point = shapely.box(7.0255, 45.9905, 7.0265, 45.9915)
    assert derived_id(point, lambda name: name in {"G007026E45991N", "G007027E45991N"}) == "G007028E45991N"
