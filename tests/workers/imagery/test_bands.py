from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from workers.imagery import bands


@pytest.mark.parametrize(
    ("qa", "invalid"),
    [
        (21824, False),  # clear land
        (21952, False),  # clear water
        (30048, False),  # snow
        (22280, True),  # cloud
        (23888, True),  # shadow
        (54596, True),  # cirrus
        (56660, True),  # cirrus and shadow
        (1, True),  # fill
    ],
)
def test_the_worked_qa_pixel_values(qa: int, invalid: bool) -> None:
    assert bands.qa_pixel_invalid(np.array([qa], dtype=np.uint16))[0] == invalid


def test_dilated_cloud_can_be_kept_and_snow_is_never_invalid() -> None:
    dilated, snow = np.array([1 << 1]), np.array([1 << 5])
    assert bands.qa_pixel_invalid(dilated)[0]
    assert not bands.qa_pixel_invalid(dilated, mask_dilated=False)[0]
    assert not bands.qa_pixel_invalid(snow)[0]
    assert bands.qa_pixel_snow(snow)[0]


def test_bright_snow_called_cloud_can_be_taken_back_but_fill_and_shadow_cannot() -> None:
    qa = np.array([1 << 3, 1 << 3, 1 << 4, 1])
    ndsi, swir1 = np.array([0.8, 0.5, 0.8, 0.8]), np.array([0.1, 0.1, 0.1, 0.1])
    assert bands.qa_pixel_invalid(qa, ndsi=ndsi, swir1=swir1).tolist() == [False, True, True, True]
    assert bands.qa_pixel_invalid(qa).all()


def test_scene_classification_keeps_snow_water_and_dark_pixels() -> None:
    expected = [True, True, False, True, False, False, False, False, True, True, True, False]
    assert bands.scl_invalid(np.arange(12)).tolist() == expected


def test_saturation_looks_at_the_bit_of_each_band() -> None:
    assert bands.radsat_saturated(np.array([0, 1, 1 << 6, 1 << 9])).tolist() == [False, True, True, False]


def test_the_landsat_offset_matters() -> None:
    green, swir1 = np.array([14_545], dtype=np.uint16), np.array([9_091], dtype=np.uint16)  # 0.2 and 0.05
    scaled = bands.ndsi(bands.scale(green, "landsat-c2-l2-sr"), bands.scale(swir1, "landsat-c2-l2-sr"))
    assert scaled[0] == pytest.approx(0.6, abs=1e-3)
    assert bands.ndsi(green.astype(float), swir1.astype(float))[0] < 0.3


def test_fill_and_impossible_values_become_nan() -> None:
    out = bands.scale(np.array([0, 1, 7273, 65_535], dtype=np.uint16), "landsat-c2-l2-sr")
    assert np.isnan(out[[0, 3]]).all()
    assert out[2] == pytest.approx(0.0, abs=1e-4)
    kelvin = bands.scale(np.array([0, 36_000], dtype=np.uint16), "landsat-c2-l2-st")
    assert np.isnan(kelvin[0])
    assert kelvin[1] == pytest.approx(272.05, abs=0.01)
    assert np.isnan(bands.scale(np.array([-32_768, 9_500]), "elevation")).all()
    with pytest.raises(KeyError, match="no scaling"):
        bands.scale(out, "unknown")


def test_sentinel_2_shows_no_step_at_processing_baseline_0400() -> None:
    before, after = datetime(2022, 1, 24, tzinfo=UTC), datetime(2022, 1, 25, tzinfo=UTC)
    green, swir1 = np.array([0.45]), np.array([0.08])
    old = [bands.scale(np.rint(v * 10_000), bands.sentinel2_scaling(None, before)) for v in (green, swir1)]
    new = [bands.scale(np.rint(v * 10_000) + 1000, bands.sentinel2_scaling(None, after)) for v in (green, swir1)]
    assert bands.ndsi(*old)[0] == pytest.approx(bands.ndsi(*new)[0], abs=1e-6)


def test_the_baseline_decides_over_the_date_and_a_removed_offset_over_both() -> None:
    late = datetime(2023, 1, 1, tzinfo=UTC)
    assert bands.sentinel2_scaling("0301", late).offset == 0
    assert bands.sentinel2_scaling("04.00", datetime(2019, 1, 1, tzinfo=UTC)).offset == -0.1
    assert bands.sentinel2_scaling("0509", late).offset == -0.1
    assert bands.sentinel2_scaling("0509", late, offset_applied=True).offset == 0


@pytest.mark.parametrize("text", ["04.00", "0400", "N0400", "400", "4", 4, 4.0, "05.11", "10.00"])
def test_a_baseline_is_read_however_it_is_written(text: str | float) -> None:
    assert bands.sentinel2_scaling(text).offset == -0.1


@pytest.mark.parametrize("text", ["03.01", "0301", "N0214", 3, 2.14])
def test_a_baseline_before_0400_has_no_offset_whenever_the_scene_was_taken(text: str | float) -> None:
    assert bands.sentinel2_scaling(text, datetime(2023, 1, 1, tzinfo=UTC)).offset == 0


def test_what_is_no_baseline_is_refused_with_the_forms_that_are() -> None:
    with pytest.raises(ValueError, match=r"'newest' is no Sentinel-2 processing baseline; write it as 04\.00"):
        bands.sentinel2_scaling("newest")


def test_ndsi_and_ndwi_are_bounded_and_clamp_negative_reflectance() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-0.2, 1.6, (2, 10_000)).astype(np.float32)
    index = bands.ndsi(a, b)
    seen = ~np.isnan(index)
    assert np.abs(index[seen]).max() <= 1
    assert bands.ndsi(np.array([0.3]), np.array([-0.1]))[0] == 1
    assert bands.ndwi(np.array([0.2]), np.array([0.1]))[0] == pytest.approx(1 / 3)


def test_two_dark_pixels_and_missing_ones_give_nan_without_a_warning() -> None:
    green = np.array([0.0, np.nan, 0.5, 5e-7, -0.1])
    swir1 = np.array([0.0, 0.2, np.nan, 4e-7, -0.1])
    assert np.isnan(bands.ndsi(green, swir1)).all()
    assert np.isnan(bands.snow_ice(np.full((3, 3), np.nan))).all()


def test_bands_of_two_shapes_have_no_index() -> None:
    with pytest.raises(ValueError, match=r"Bands of \(4, 4\) and \(4, 1\) have no index"):
        bands.ndsi(np.ones((4, 4)), np.ones((4, 1)))


def test_the_threshold_keeps_its_own_value_and_nan() -> None:
    out = bands.snow_ice(np.array([0.3, 0.2999, np.nan, 0.8], dtype=np.float32))
    assert out[0] == np.float32(0.3)
    assert out[1] == 0
    assert np.isnan(out[2])
    assert out[3] == np.float32(0.8)
    with pytest.raises(ValueError, match=r"0\.2 to 0\.6"):
        bands.snow_ice(out, 0.7)


@pytest.mark.parametrize(
    ("name", "sensor", "expected"),
    [
        ("B3", "landsat-8", "green"),
        ("B3", "landsat-5", "red"),
        ("B3", "", None),
        ("SR_B6", "landsat-9", "swir1"),
        ("ST_B10", "landsat-8", "thermal"),
        ("B03", "sentinel-2", "green"),
        ("B8A", "sentinel-2", "nir"),
        ("B8", "sentinel-2", None),
        ("B11", "sentinel-2", "swir1"),
        ("QA60", "sentinel-2", None),
        ("swir16", "", "swir1"),
        ("nir08", "", "nir"),
        ("lwir", "", "thermal"),
        ("qa_pixel", "", "qa"),
        ("SCL", "", "scl"),
        ("b04_green_555nm", "modis", "green"),
        ("b07_swir2_2130nm", "modis", "swir2"),
        ("mod35_cloud_mask_byte0", "modis", "mod35"),
        ("Green", "", "green"),
        ("atmos_opacity", "", None),
        ("VV", "sentinel-1", "co_pol"),
        ("hh", "", "co_pol"),
        ("vh", "", "cross_pol"),
        ("coherence", "", "coherence"),
    ],
)
def test_bands_are_known_by_the_names_that_catalogues_and_files_give_them(name, sensor, expected) -> None:
    assert bands.canonical(name, sensor) == expected


@pytest.mark.parametrize(
    ("text", "sensor"),
    [
        ("LANDSAT_8", "landsat-8"),
        ("landsat-9", "landsat-9"),
        ("Landsat 5 TM", "landsat-5"),
        ("Landsat 8 OLI (HLS L30)", "landsat-8"),
        ("Sentinel-2 MSI", "sentinel-2"),
        ("sentinel-2b", "sentinel-2"),
        ("MODIS Terra", "modis"),
        ("Sentinel-1", "sentinel-1"),
        ("sentinel-1a c-sar", "sentinel-1"),
        ("S1B", "sentinel-1"),
        ("Sentinel-3", ""),
        ("Landsat 5/7", ""),
    ],
)
def test_sensors_are_known_by_their_platform(text: str, sensor: str) -> None:
    assert bands.sensor_of(text) == sensor


def test_decibels_have_a_floor_and_harmonisation_its_published_line() -> None:
    assert bands.decibel(np.array([1.0, 0.1, 0.0])).tolist() == pytest.approx([0.0, -10.0, -60.0])
    assert bands.roy2016(np.array([0.5]), "nir")[0] == pytest.approx(0.0412 + 0.8462 * 0.5)
