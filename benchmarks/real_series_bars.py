"""Series of the real collection: published area tables through the trend code, Marmolada's years, Columbia's flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pandas as pd
from real_data import DATA, needs
from science_page import Row, over, told, under
from scipy.ndimage import gaussian_filter, map_coordinates

from predictions import regional, standard_errors, trends
from workers.imagery import bands, rasters
from workers.imagery.cubes import Cube
from workers.learning import recipes
from workers.motion.farneback import dense_flow
from workers.motion.velocity import ground_pixel_m, velocity

MARMOLADA, FIRST_YEAR, LAST_YEAR = "scenes/marmolada_ndsi", 1985, 2016
COLUMBIA = "velocity/itslive_columbia"
FASTEST_PX, TEXTURE_PX, NOISE, STILL_PX = 6.0, 2.0, 0.02, 0.05
"""The fastest ice moves so far between the images; grain of the texture; noise; what counts as standing still."""
SEVEN_DECIMALS = 1e-9


@needs("tables")
def area_tables(seeds: Sequence[int]) -> Iterator[Row]:
    """Trends of published areas: one long curve, and the glaciers of a park as a region."""
    tuyuksu = pd.read_csv(DATA / "tables/tuyuksu_areas.csv")
    yield from _curve("Tuyuksu", tuyuksu["year"].to_numpy(float), tuyuksu["area_km2"].to_numpy(float))
    wgms = pd.read_csv(DATA / "tables/wgms_fog_state.csv", low_memory=False).dropna(subset=["area"])
    wgms["year"] = [trends.decimal_year(day.date()) for day in pd.to_datetime(wgms["date"])]
    long = [one for _, one in wgms.groupby("glacier_id") if publishable(one["year"], one["area"] / 1e6)]
    slopes = np.array([trends.fit(one["year"], one["area"] / 1e6).slope for one in long])
    yield told(f"WGMS areas (real): {len(slopes)} glaciers with a trend that may be published",
               f"median {100 * np.median(slopes):+.2f} % a year", f"{np.mean(slopes < 0):.0%} shrink")  # fmt: skip
    yield from _park(pd.read_csv(DATA / "tables/usgs_gnp_area-all.csv"))


def publishable(years: Sequence[float], km2: Sequence[float]) -> bool:
    """Whether these areas carry a trend that may be published."""
    try:
        return not trends.unpublished(trends.fit(years, km2))
    except trends.NoTrend:
        return False


def _curve(name: str, years: np.ndarray, km2: np.ndarray) -> Iterator[Row]:
    """The slope beside an independent fit; outliers left out as the product does."""
    kept = ~trends.outliers(years, km2)
    line = trends.fit(years[kept], km2[kept])
    half = standard_errors.ols(line) * standard_errors.quantile(line)
    other = np.polyfit(years[kept] - years[kept].mean(), np.log(km2[kept]), 1)[0]
    yield told(f"{name} (real): trend, % a year", f"{100 * line.slope:+.2f} ± {100 * half:.2f}",
               f"{line.n} areas, {np.sum(~kept)} outliers left out, 95 % of ordinary least squares")  # fmt: skip
    yield under(f"{name} (real): slope less that of an independent fit", abs(line.slope - other), SEVEN_DECIMALS,
                "{:.1e}")  # fmt: skip


def _park(table: pd.DataFrame) -> Iterator[Row]:
    """Both regional methods on the glaciers of one park beside the plain change of their summed area."""
    areas = [dict(zip(one["Year"], one["AREA"] / 1e6, strict=True)) for _, one in table.groupby("num")]
    lines = [trends.fit(list(one), list(one.values())) for one in areas]
    first = regional.weighted_mean([line.slope for line in lines], [line.n for line in lines])
    second = regional.geometric_mean_trend(areas)
    sums = table.groupby("Year")["AREA"].sum()
    plain = np.log(sums.iloc[-1] / sums.iloc[0]) / (sums.index[-1] - sums.index[0])
    yield told("Glacier National Park (real): % a year by glaciers and by the pointwise geometric mean",
               f"{100 * first.slope:+.2f} ± {196 * (first.se or np.nan):.2f}, {100 * second.slope:+.2f}",
               f"{len(lines)} glaciers of four dates; the summed area alone: {100 * plain:+.2f} (large glaciers "
               "count more)")  # fmt: skip


@needs(MARMOLADA)
def marmolada(seeds: Sequence[int]) -> Iterator[Row]:
    """The default forecaster on yearly frames: taught on the first four fifths, scored on the years after."""
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    layers = [rasters.read(DATA / MARMOLADA / f"NDSI_{year}.tif") for year in years]
    frames = np.stack([bands.snow_ice(layer.pixels[0], 0.3) for layer in layers])
    cube = Cube(frames, tuple(date(year, 1, 1) for year in years), 12, (1,) * len(years), ("observed",) * len(years),
                layers[0].grid)  # fmt: skip
    settings = recipes.with_settings("default-forecaster", "small", seed=seeds[0])
    found = recipes.train_forecaster("default-forecaster", "small", cube, settings).metrics
    mine = found["scores"]["pooled_mse"]
    against = {name: mine / one["pooled_mse"] for name, one in found["baselines"].items()}
    title = f"Marmolada (real), forecasts of {found['issued'][0][:4]} to {LAST_YEAR}: MSE over that of "
    yield under(f"{title}persistence", against["persistence"], 1, "{:.2f}", f"MSE {mine:.4f}")
    rest = ", ".join(f"{name} {against[name]:.2f}" for name in ("linear trend", "train mean"))
    yield told(f"{title}climatology", f"{against['climatology']:.2f}", f"{rest}; sensors change in 2013")


@needs(COLUMBIA)
def columbia(seeds: Sequence[int]) -> Iterator[Row]:
    """A texture carried by a measured velocity field: is the field found again, and does still ground stand still?"""
    east, north = (rasters.read(DATA / COLUMBIA / f"crop_ALA_G0120_0000_v{axis}.tif") for axis in "xy")
    speed = np.hypot(east.pixels[0], north.pixels[0])
    pixel_m = np.broadcast_to(ground_pixel_m(east.grid), speed.shape)
    days = 365.25 * FASTEST_PX * float(pixel_m.mean()) / float(np.nanmax(speed))
    true = np.stack([east.pixels[0], -north.pixels[0]], -1) / pixel_m[..., None] * days / 365.25
    flow = dense_flow(*carried(true, np.random.default_rng(seeds[0])))
    moving = np.hypot(*np.moveaxis(true, -1, 0)) > 0.5
    apart = np.hypot(*np.moveaxis(flow - true, -1, 0))[moving]
    apart = apart[np.isfinite(apart)]
    still = np.hypot(*np.moveaxis(true, -1, 0)) < STILL_PX
    found = velocity(flow, pixel_m, days, still)
    note = f"real velocity of up to {np.nanmax(speed):.0f} m a year, simulated texture, {days:.0f} days apart"
    yield under("Columbia: median error of the flow where ice moves, px", float(np.median(apart)), 0.3, note=note)
    yield over("Columbia: share within 0.5 px", float(np.mean(apart <= 0.5)), 0.65, note=f"{len(apart)} px")
    a_pixel = 365.25 / days * float(pixel_m.mean())
    yield under("Columbia: NMAD of stable terrain after correction, px", found.uncertainty / a_pixel, 0.3,
                note=f"{found.uncertainty:.1f} m a year on {still.sum()} px")  # fmt: skip


def carried(flow: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two noisy images of one texture, the second carried by ``flow`` (H, W, 2) px."""
    shape = flow.shape[:2]
    texture = gaussian_filter(rng.standard_normal(shape), TEXTURE_PX)
    texture /= texture.std()
    back = np.indices(shape, float)
    for _ in range(20):  # where did it come from? x - d(x_first), by fixed-point iteration
        moved = [map_coordinates(np.nan_to_num(flow[..., k]), back, order=1, mode="nearest") for k in (1, 0)]
        back = np.indices(shape) - np.stack(moved)
    second = map_coordinates(texture, back, order=3, mode="nearest")
    first, second = (image + rng.normal(0, NOISE, shape) for image in (texture, second))
    unknown = np.isnan(flow).any(-1)
    return np.where(unknown, np.nan, first), np.where(unknown, np.nan, second)
